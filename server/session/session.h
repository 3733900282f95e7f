#ifndef MSAB_SESSION_SESSION_H_
#define MSAB_SESSION_SESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/timer_node.h"
#include "server/base/token_bucket.h"
#include "server/dispatch/command_handler.h"
#include "server/protocol/dialect.h"
#include "server/session/close_code.h"
#include "server/session/session_host.h"
#include "server/session/transport.h"

namespace msab {

// What a client brought along when it connected.
struct Opening {
  std::string token;                  // empty: the first frame will bring it
  std::optional<std::string> cursor;  // as given, unchecked
  std::vector<std::string> rooms;     // as named, unchecked
  bool origin_allowed = true;
};

// One client's conversation: from the token through welcome, replay and live events to the close.
// It knows frames and order; its Transport knows the socket, its SessionHost the house.
//
//   waiting for the token → entering (rooms are authorised) → replaying → live → closing
//
// Every session sees ascending numbers: an entry numbered up to the last one seen is skipped.
// While it replays, live entries are not queued; they are in the log, and replay reads on until it
// has met the shard's settled number. Client messages are taken while waiting and when live only,
// so that every answer stands at its place in the order.
//
// Owned by its connection. Shard thread only.
class Session final : public Caller, public TimerNode {
 public:
  Session(SessionHost& host, Transport& transport);
  ~Session() override;

  // At accept: the time for the token begins.
  void Start();

  // The upgrade is done.
  void Open(const Dialect& dialect, Opening opening);

  // One whole text message of the client. With `reading()` false afterwards, no further one may
  // come before Transport::ResumeReading.
  void OnText(std::string_view text);
  void OnBinary();
  // Any bytes of the client, pongs included.
  void OnAlive() { last_heard_ = host_.NowSteady(); }
  // The socket took some of what waits: while the session replays, and takes no input, that is the
  // client's sign of life.
  void OnWritten();
  // Everything that waited was written.
  void OnDrained();
  // The close handshake has begun, whoever began it: nothing is sent any more, and the peer has
  // the close timeout for its part.
  void OnClosing();
  // The connection is gone.
  void OnLost();

  // An entry whose audience this session is part of; `frame` is its frame in this dialect.
  void Deliver(const EntryPtr& entry, const FramePtr& frame);

  // Ends the session: what waits is sent, then the close frame.
  void Close(CloseCode code, std::string_view reason);
  // The outbox is over the high-water mark: a reader whose socket takes no more is too slow. (What
  // came within one turn was not even offered to it yet.)
  void Relieve();

  bool reading() const { return state_ == State::kWaiting || state_ == State::kLive; }
  bool closing() const { return state_ == State::kClosing; }
  const Dialect& dialect() const { return *dialect_; }
  CloseCause cause() const { return cause_; }
  uint64_t delivered() const { return delivered_; }
  const std::vector<std::string>& rooms() const { return rooms_; }

  // Asks the processor for what Deliver is about to touch: in a large audience every session is a
  // walk through cold memory.
  void Prefetch() const {
    __builtin_prefetch(&state_);
    __builtin_prefetch(&outbox_);
  }

  // The shard's bookkeeping: this session's place in its list of all.
  size_t place_in_all = 0;

  // Caller
  const std::string& connection_id() const override { return connection_id_; }
  UserId user() const override { return user_; }
  int shard() const override { return host_.index(); }
  bool admitted() const override { return state_ == State::kReplaying || state_ == State::kLive; }
  const std::string& profile() const override { return *profile_; }
  bool InRoom(std::string_view room) const override;
  size_t room_count() const override { return rooms_.size(); }
  void EnterRoom(const std::string& room) override;
  void ExitRoom(std::string_view room) override;

  // TimerNode
  void OnTimer(int64_t now) override;

 private:
  enum class State : uint8_t { kWaiting, kEntering, kReplaying, kLive, kClosing };

  // From the token to the first live event; freed then.
  struct Entrance {
    std::optional<std::string> cursor;
    std::optional<int64_t> reply_to;  // the id of the `auth` frame that brought the token
    std::vector<AudienceFrom> audiences;
    std::optional<LogPage> first_page;  // read when the missed events were counted
    uint64_t position = 0;              // everything up to here has been read and sent
    uint64_t head = 0;                  // of the admission
    bool live_said = false;
  };

  void Authenticate(std::string_view token, std::optional<std::string> cursor,
                    std::vector<std::string> rooms, std::optional<int64_t> reply_to);
  void Enter(const std::vector<AllowedRoom>& rooms);
  Welcome::Recovered Recover(uint64_t head);
  void Replay();
  size_t CountMissed();
  LogPage ReadPage(uint64_t after, uint64_t upto);
  bool ReplayPage(uint64_t upto);
  bool IsExcepted(const Entry& entry) const;
  void OnAuth(const ClientMessage& message);
  void Renew(const ClientMessage& message, std::string_view token);
  void Reply(std::optional<int64_t> id, const CommandResult& result);
  void Send(FramePtr frame);
  void Arm(int64_t now);
  // For a reader that is too slow: what it has not begun to read is not sent.
  void CloseSlow();
  Cursor At(uint64_t sequence) const { return {host_.epoch(), sequence}; }
  std::shared_ptr<Session> Share();

  // Constant after construction
  SessionHost& host_;
  Transport& transport_;
  Outbox& outbox_;  // the transport's

  // Constant once authenticated
  const Dialect* dialect_ = nullptr;
  UserId user_ = 0;
  std::string connection_id_;
  std::shared_ptr<const std::string> profile_;

  // Shard thread only
  State state_ = State::kWaiting;
  CloseCause cause_ = CloseCause::kClient;
  bool full_ = false;  // waits for Relieve
  std::unique_ptr<Entrance> entrance_;
  std::vector<std::string> rooms_;
  uint64_t last_ = 0;       // the number of the last entry seen
  uint64_t delivered_ = 0;  // event frames given to the transport
  int64_t expires_at_ = 0;  // of the token, wall ms
  int64_t last_heard_ = 0;  // steady ms
  int64_t last_sent_ = 0;   // steady ms
  int64_t next_ping_ = 0;   // steady ms
  TokenBucket bucket_;
};

}  // namespace msab

#endif  // MSAB_SESSION_SESSION_H_
