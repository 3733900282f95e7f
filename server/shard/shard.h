#ifndef MSAB_SHARD_SHARD_H_
#define MSAB_SHARD_SHARD_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "server/base/clock.h"
#include "server/dispatch/dispatcher.h"
#include "server/session/connection.h"
#include "server/session/listener.h"
#include "server/session/session.h"
#include "server/shard/frame_cache.h"
#include "server/shard/shard_inbox.h"
#include "server/shard/timer_wheel.h"

namespace msab {

// One thread's part of the house: its connections, its share of users and rooms, its timers and
// counters, and the io_context that they live on. Everything in it is touched by that thread only;
// the others reach it through its inbox.
//
// A turn runs what is ready (reads, accepts, the inbox's items, timers) up to a bound, then does
// one gathered write for every connection that something was put out for. Tests drive turns by
// hand, with a clock of their own, through Turn().
//
// Owned by the Shards (or a test).
class Shard final : public SessionHost, public ConnectionHost {
 public:
  // What a shard is given of the house; all of it outlives the shard.
  struct House {
    const Clock* clock = nullptr;
    Dispatcher* dispatcher = nullptr;
    const EventLog* log = nullptr;
    ResumeStore* resumes = nullptr;
    CommandHandler* commands = nullptr;
    const TokenVerifier* tokens = nullptr;
    const Door* door = nullptr;
    ConnectionLimits* limits = nullptr;
    std::array<const Dialect*, kDialects> dialects{};
    // All of the house, in the order of their indexes; complete before one of them runs.
    const std::vector<std::unique_ptr<Shard>>* shards = nullptr;
  };
  struct Options {
    size_t inbox = 65'536;
    SessionOptions session;
  };

  Shard(int index, const House& house, Options options);
  ~Shard() override;

  // Before the thread runs
  absl::Status Listen(const HostPort& address);
  uint16_t port() const { return listener_.port(); }

  // Any thread
  Inbox& inbox() { return inbox_; }
  const ShardCounters& read_counters() const { return counters_; }

  // The thread's life: turns until Stop. The calling thread is the shard's from here on.
  void Run();
  // Run returns after its turn. Any thread.
  void Stop();

  // One turn without waiting, on the calling thread: what is ready, timers, then the writes.
  // Returns whether anything ran.
  bool Turn();

  // Shard thread only
  // From now on upgrades are refused (503).
  void RefuseUpgrades() { draining_ = true; }
  // The same, and every connection is asked to come back: one after another over `spread` ms, each
  // told to wait a jittered while.
  void BeginDrain(int64_t spread);
  // Ends what is left, at once.
  void AbortAll();
  size_t connection_count() const { return connections_.size(); }

  // SessionHost
  const SessionOptions& options() const override { return options_.session; }
  const TokenVerifier& tokens() const override { return *house_.tokens; }
  CommandHandler& commands() override { return *house_.commands; }
  ShardCounters& counters() override { return counters_; }
  int index() const override { return index_; }
  const std::string& epoch() const override { return house_.dispatcher->epoch(); }
  int64_t NowSteady() const override;
  int64_t NowWall() const override { return house_.clock->WallMillis(); }
  void Schedule(TimerNode& node, int64_t deadline) override { wheel_.Schedule(node, deadline); }
  void Post(absl::AnyInvocable<void()> task) override { inbox_.Push({nullptr, std::move(task)}); }
  absl::StatusOr<uint64_t> Admit(Session& session, ConnectionInfo connection,
                                 const std::vector<AllowedRoom>& rooms) override;
  void Dismiss(Session& session, bool leaving) override;
  void Supersede(const std::string& connection_id, UserId user, ResumeStore::Term term,
                 absl::AnyInvocable<void(bool)> done) override;
  void EnterRoom(Session& session, const std::string& room) override;
  void ExitRoom(Session& session, std::string_view room) override;
  uint64_t settled() const override { return settled_; }
  ResumeStore& resumes() override { return *house_.resumes; }
  const EventLog& log() const override { return *house_.log; }
  FramePtr ReplayFrame(const Dialect& dialect, const EntryPtr& entry) override;
  void MarkFull(Session& session) override { full_.push_back(&session); }

  // ConnectionHost
  net::io_context& io() override { return io_; }
  SessionHost& sessions() override { return *this; }
  const Door& door() const override { return *house_.door; }
  ConnectionLimits& limits() override { return *house_.limits; }
  const Dialect* dialect(DialectId id) const override {
    return house_.dialects[static_cast<size_t>(id)];
  }
  size_t max_message_bytes() const override { return options_.session.max_message_bytes; }
  bool draining() const override { return draining_; }
  void Adopt(std::shared_ptr<Connection> connection) override;
  void Retire(Connection& connection) override;
  void MarkDirty(Connection& connection) override;

 private:
  using Sessions = std::vector<Session*>;

  void WaitForTick();
  void RunTimers();
  void HandleInbox();
  void Settle();
  void Hand(const EntryPtr& entry);
  void DrainSome();
  bool EndSession(const std::string& connection_id, UserId user, ResumeStore::Term term);
  void EndTurn();

  // Constant after construction
  const int index_;
  const House house_;
  const Options options_;

  // Any thread
  ShardInbox inbox_;
  ShardCounters counters_;

  // Shard thread only
  net::io_context io_{1};
  Listener listener_;
  TimerWheel wheel_;
  net::steady_timer ticker_;  // makes a turn happen every tick
  FrameCache frames_;
  int64_t replayed_at_ = 0;  // steady ms
  // Steady ms, read at its first use in a turn: reading the clock for every frame would show.
  mutable int64_t now_;
  mutable bool now_is_stale_ = true;
  int64_t ticked_ = 0;  // the last tick that timers ran for
  uint64_t settled_ = 0;
  bool stopping_ = false;
  bool draining_ = false;

  std::vector<InboxItem> taken_;  // from the inbox; handled from next_ on
  size_t next_ = 0;

  absl::flat_hash_map<UserId, absl::InlinedVector<Session*, 1>> users_;
  absl::flat_hash_map<std::string, Sessions> rooms_;
  Sessions all_;

  absl::flat_hash_set<std::shared_ptr<Connection>> connections_;
  std::vector<Connection*> dirty_;
  std::vector<Connection*> flushing_;
  std::vector<std::shared_ptr<Connection>> retired_;
  Sessions full_;

  std::vector<std::weak_ptr<Connection>> leaving_;  // to be drained, last first
  int64_t drain_started_ = 0;
  int64_t drain_spread_ = 0;  // 0: nobody is asked to leave yet
  size_t drain_total_ = 0;
  absl::BitGen random_;
};

}  // namespace msab

#endif  // MSAB_SHARD_SHARD_H_
