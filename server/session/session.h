#ifndef MSAB_SESSION_SESSION_H_
#define MSAB_SESSION_SESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/base/timer_node.h"
#include "server/base/token_bucket.h"
#include "server/dispatch/command_handler.h"
#include "server/protocol/dialect.h"
#include "server/session/close_code.h"
#include "server/session/heartbeats.h"
#include "server/session/recovery.h"
#include "server/session/session_host.h"
#include "server/session/transport.h"

namespace msab {

// What a client brought along when it connected.
struct Opening {
  Credentials credentials;  // without a token: the first message will bring it
  bool origin_allowed = true;
};

// One client's conversation: from the token through welcome, replay and live events to the close.
// It knows frames and order; its Transport knows the socket, its SessionHost the house, and its
// Dialect how all that is said.
//
//   waiting for the token → entering (its record is claimed, its rooms are authorised, whoever
//   holds its id is ended) → replaying → live → closing
//
// A client that says goodbye is out of the house, and its connection waits for it to hang up.
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
  void OnAlive() { unanswered_since_ = 0; }
  // The socket took some of what waits: while the session replays, and takes no input, and while a
  // long answer is on its way, with the heartbeats behind it, that is the client's sign of life.
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
  // The client goes on with this session over another connection, whose hold on the record is
  // `term`: ends it without a word. False, and nothing happens, if this one's hold is not earlier.
  bool Supersede(ResumeStore::Term term);
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
  uint32_t place_in_all() const { return place_in_all_; }
  void set_place_in_all(size_t place) { place_in_all_ = static_cast<uint32_t>(place); }

  // Caller
  const std::string& connection_id() const override { return connection_id_; }
  UserId user() const override { return user_; }
  int shard() const override { return host_.index(); }
  bool admitted() const override { return state_ == State::kReplaying || state_ == State::kLive; }
  const std::string& profile() const override { return *profile_; }
  bool InRoom(std::string_view room) const override;
  size_t room_count() const override { return rooms_.size(); }
  void EnterRoom(const std::string& room, uint64_t since) override;
  void ExitRoom(std::string_view room) override;

  // TimerNode
  void OnTimer(int64_t now) override;

 private:
  enum class State : uint8_t { kWaiting, kEntering, kReplaying, kLive, kClosing };

  // From the upgrade to the first live event; freed then.
  struct Entrance {
    std::optional<std::string> cursor;
    std::optional<std::string> offset;
    std::optional<int64_t> reply_to;  // the id of the `auth` frame that brought the token
    bool origin_allowed = true;
    std::optional<ResumeRecord> record;  // the session goes on with this one
    uint64_t resume_from = 0;            // with a record
    std::vector<AudienceFrom> audiences;
    std::optional<LogPage> first_page;  // read when the missed events were counted
    // Of what was counted, the states: until they are sent, others may replace them in the log.
    std::vector<EntryPtr> counted_states;
    uint64_t position = 0;  // everything up to here has been read and sent
    uint64_t head = 0;      // of the admission
    bool live_said = false;
  };

  // Messages of a binary command that have yet to come, and the answer due after them.
  struct Attachments {
    size_t left = 0;
    std::optional<int64_t> id;
  };

  // The way in (session_entrance.cc)
  void Authenticate(Credentials credentials, std::optional<int64_t> reply_to);
  void Refuse(ConnectRefusal why, CloseCode code, std::string_view reason);
  void OnClaimed(std::optional<ResumeStore::Claimed> claimed);
  bool IsWhole(const std::vector<std::string>& rooms);
  void BeginAnew();
  uint64_t ResumePoint(const ResumeRecord& record) const;
  void AddAudiences(const std::vector<std::string>& rooms, uint64_t from);
  void EnterAnew(std::vector<std::string> rooms);
  void AuthorizeAndEnter(std::vector<std::string> rooms);
  void OnAuthorized(AuthorizedRooms rooms);
  void Enter(std::vector<AllowedRoom> rooms);
  void EnterAfter(bool predecessor_ended, std::vector<AllowedRoom> rooms);
  void OnNotAdmitted(const absl::Status& why, std::vector<AllowedRoom> rooms);
  void KeepRecord();
  Welcome::Recovered Recover(uint64_t head);
  void Replay();
  size_t CountMissed();
  LogPage ReadPage(uint64_t after, uint64_t upto);
  void PutBackStates(LogPage& page) const;
  bool ReplayPage(uint64_t upto);

  bool IsExcepted(const Entry& entry) const;
  void OnConnect(ClientMessage message);
  void OnGoodbye();
  void OnCommand(const ClientMessage& message);
  void OnAuth(const ClientMessage& message);
  void Renew(std::optional<int64_t> id, std::string_view token);
  void Reply(std::optional<int64_t> id, const CommandResult& result);
  void CloseSilently();
  // Sends a frame of which a client may cause any number.
  void Answer(FramePtr frame);
  // How many bytes may wait now.
  size_t Mark();
  void Send(FramePtr frame);
  void SendAll(const Dialect::Frames& frames);
  // Whether heartbeats go out.
  bool beats() const {
    return admitted() || (dialect_ != nullptr && dialect_->conduct().heartbeat_by_message);
  }
  void Beat(int64_t now);
  // When the client counts as gone if nothing is heard of it until then.
  int64_t PatienceEnd() const;
  // Everything numbered up to here has been sent, or isn't this session's. 0 before the welcome.
  uint64_t Sent() const;
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
  bool full_ = false;    // waits for Relieve
  bool parted_ = false;  // the client said goodbye
  uint32_t place_in_all_ = 0;
  std::unique_ptr<Entrance> entrance_;
  std::unique_ptr<Recovery> recovery_;        // of dialects that recover
  Heartbeats heartbeats_;                     // of dialects that have them as messages
  std::unique_ptr<Attachments> attachments_;  // mostly none are awaited
  std::vector<std::string> rooms_;
  // Bytes of long answers that may wait beside all else, until what waits is below the high-water
  // mark again.
  size_t allowance_ = 0;
  uint64_t last_ = 0;       // the number of the last entry seen
  uint64_t delivered_ = 0;  // event frames given to the transport
  int64_t expires_at_ = 0;  // of the token, wall ms
  int64_t last_sent_ = 0;   // steady ms
  int64_t next_ping_ = 0;   // steady ms
  int64_t connect_by_ = 0;  // steady ms; while waiting for the token
  // Steady ms, 0: none. The first heartbeat after which nothing was heard.
  int64_t unanswered_since_ = 0;
  TokenBucket bucket_;
};

}  // namespace msab

#endif  // MSAB_SESSION_SESSION_H_
