#ifndef MSAB_DISPATCH_DISPATCHER_H_
#define MSAB_DISPATCH_DISPATCHER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/contract/entry.h"
#include "server/dispatch/inbox.h"
#include "server/log/event_log.h"
#include "server/registry/registry.h"

namespace msab {

// What became of an accepted event.
struct Dispatched {
  uint64_t sequence = 0;  // its number; the head where it has none (EPHEMERAL, superseded, expired)
  bool superseded = false;  // LATEST and already replaced: neither kept nor delivered
  bool expired = false;     // past its ttl on arrival: neither kept nor delivered
  Recipients recipients;
};
using DispatchDone = absl::AnyInvocable<void(absl::StatusOr<Dispatched>)>;

// The one place where order is made: numbers an event, appends it, counts its recipients and hands
// it to the shards that hold them. Registering a session, joining and leaving pass the same point,
// so order, the truthful recipients, room snapshots and resume have one owner.
//
// One lock, mu_, is held for the whole step and is the only lock on the way in. Lock order:
//   Dispatcher::mu_  →  the log's own lock  |  a shard's inbox lock
// Nothing that runs under mu_ calls out to code that could come back in: callbacks run after it is
// released, or go through an inbox.
//
// A log may complete an append late (a cluster log). The hand-off to the inboxes then happens when
// it does, in the log's order, under mu_ again. Inboxes are checked for room before the append, so
// late completions overshoot an inbox's bound at most by the appends in flight.
//
// A state whose emitter gave no time is as new as its acceptance. That never goes back, though the
// wall clock may be set back: the next state would count as older than what it replaces.
//
// room:userJoined and room:userLeft are made here, under the lock, because only here it is known
// that a user's first connection came or the last one went. No connection of that user gets them,
// live or on replay. A full inbox doesn't hold up one that a beginning or ending session causes;
// those of users whose grace is over wait for room.
//
// Any thread, unless said otherwise. Outlives the shards; before it goes, the log has completed or
// refused every append.
class Dispatcher final : private EventLog::Listener {
 public:
  struct Options {
    int64_t leave_grace_ms = 15'000;  // rooms.leave_grace
    size_t max_per_user = 20;         // ws.max_per_user; 0: no limit
  };

  // `log`, `catalog` and `clock` outlive the Dispatcher.
  Dispatcher(const Catalog& catalog, const Clock& clock, EventLog& log, Options options);
  ~Dispatcher() override = default;

  // Before the first event. Shard i is the i-th added. `inbox` outlives the Dispatcher's use.
  void AddShard(Inbox* inbox);

  // Accepts `entry` or refuses it with nothing appended: RESOURCE_EXHAUSTED (a target inbox is
  // full), UNAVAILABLE (draining, or the log out of reach). `done` runs exactly once, without the
  // lock: on this thread before Dispatch returns, or on the log's thread.
  void Dispatch(const std::shared_ptr<Entry>& entry, DispatchDone done);

  // The same for an event that a client's command makes: `done` runs on shard `shard`'s thread,
  // through its inbox, *before* that shard delivers the entry, so that the sender's answer
  // precedes its own copy.
  void DispatchFrom(int shard, const std::shared_ptr<Entry>& entry, DispatchDone done);

  // Runs `task` on a shard's thread, through its inbox: the way back for an answer that became
  // known on another thread.
  void Post(int shard, absl::AnyInvocable<void()> task) {
    inboxes_[shard]->Push({nullptr, std::move(task)});
  }

  // The number of the last event handed to the shards. Read it before a snapshot is built.
  uint64_t Head() const;
  const std::string& epoch() const { return epoch_; }

  // A session's beginning: it is registered, joined to `rooms` (already authorised), and knows the
  // head of that moment: everything up to `head` is history, everything after it will pass its
  // shard's inbox. ALREADY_EXISTS: the connection id is in use; RESOURCE_EXHAUSTED: the user has
  // max_per_user connections. Called on the session's shard thread.
  struct Registration {
    uint64_t head = 0;
  };
  absl::StatusOr<Registration> Register(ConnectionInfo connection,
                                        const std::vector<AllowedRoom>& rooms);

  // The shard of a registered connection; nothing if there is none of this id.
  std::optional<int> ShardOf(const std::string& connection) const;

  // A session's end. `leaving` false: the connection was lost, its rooms keep the user for the
  // grace; true: the client said goodbye, the user leaves its rooms at once. While draining
  // nobody leaves.
  void Unregister(const std::string& connection, bool leaving);

  // Joins a registered connection to a room. `at_place` runs on the connection's shard thread, at
  // its place in the order: after every entry numbered up to `cursor`, before every later one.
  // A room:userJoined (number > cursor) goes to the others if the user was no participant.
  // RESOURCE_EXHAUSTED: an inbox is full, nothing changed; NOT_FOUND: unknown connection.
  struct Joined {
    uint64_t cursor = 0;
    bool already = false;           // it was in the room before
    std::string participants_json;  // an array of profiles, the user's own included
  };
  // `profile`: what others see of the user in this room; null: the connection's.
  absl::Status Join(const std::string& connection, const std::string& room,
                    absl::AnyInvocable<void(Joined)> at_place,
                    const std::shared_ptr<const std::string>& profile = nullptr);

  // Takes a connection out of a room; a room:userLeft goes to the rest if it was the user's last
  // there. False: it was not in the room.
  bool Leave(const std::string& connection, const std::string& room);

  // Emits room:userLeft for users whose grace is over. Called about every 250 ms.
  void SweepDepartures();

  // From now on emits are refused with UNAVAILABLE and nobody leaves a room. For good.
  void Drain();
  bool draining() const;

  struct Stats {
    size_t connections = 0;
    size_t users = 0;
    size_t rooms = 0;
    size_t appends_in_flight = 0;
    size_t notices_lost = 0;  // room:userJoined and room:userLeft that the log refused
  };
  Stats stats() const;

 private:
  // How the outcome gets back to the caller: to shard `shard`'s thread, else (kNoShard) by running
  // `done` after the lock.
  static constexpr int kNoShard = -1;
  struct Answer {
    int shard = kNoShard;
    DispatchDone done;  // null: nobody asked, or it is on its way
  };

  void OnAppended(std::shared_ptr<Entry> entry, absl::StatusOr<Appended> outcome) override;

  // The step itself. Nothing: the log's outcome is to come.
  std::optional<absl::StatusOr<Dispatched>> Step(const std::shared_ptr<Entry>& entry,
                                                 Answer& answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What follows once the log has spoken; `reach` is where the entry's target is now.
  absl::StatusOr<Dispatched> Settle(const std::shared_ptr<Entry>& entry,
                                    const absl::StatusOr<Appended>& outcome, Reach reach,
                                    Answer& answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends the answer through its shard's inbox, if that is its way.
  void Reply(const absl::StatusOr<Dispatched>& result, Answer& answer);
  void Push(const EntryPtr& entry, ShardSet shards);
  bool HaveRoom(ShardSet shards) const;
  Reach Find(const Entry& entry) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  // `profile` null: the connection's.
  void AnnounceJoined(const ConnectionInfo& connection, const std::string& room,
                      const std::string* profile) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AnnounceLeft(UserId user, const std::string& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Announce(std::string_view name, std::string payload, const std::string& room, UserId user)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Catalog& catalog_;
  const Clock& clock_;
  EventLog& log_;
  const Options options_;
  const std::string epoch_;

  mutable absl::Mutex mu_;
  Registry registry_ ABSL_GUARDED_BY(mu_);
  std::vector<Inbox*> inboxes_;  // constant after the last AddShard
  uint64_t head_ ABSL_GUARDED_BY(mu_) = 0;
  // Wall ms: of the last state whose emitter gave no time.
  int64_t last_state_at_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  size_t notices_lost_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<const Entry*, Answer> waiting_ ABSL_GUARDED_BY(mu_);  // for a late outcome
};

}  // namespace msab

#endif  // MSAB_DISPATCH_DISPATCHER_H_
