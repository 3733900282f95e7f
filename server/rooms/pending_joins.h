#ifndef MSAB_ROOMS_PENDING_JOINS_H_
#define MSAB_ROOMS_PENDING_JOINS_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "server/dispatch/command_handler.h"

namespace msab {

// Joins on their way to their place in the order, and what their callers ask of those rooms in the
// meantime.
//
// A join changes what a connection gets only when its shard comes to the join's place. A client
// need not wait for that: it may send join, chat and leave in one breath. What concerns a room
// with a join under way waits here until the join is in place, then runs in the order in which it
// was sent. So a leave always ends the join before it, and never leaves a connection in a room
// that its user has left.
//
// Owned by Commands. Any thread, but what concerns one caller comes from its shard's thread only.
class PendingJoins {
 public:
  // Carries out a command whose turn it is.
  using Action = absl::AnyInvocable<void(CommandReply)>;

  // Runs `action` now, or after the caller's join into `room` that is under way.
  void InTurn(const Caller& caller, const std::string& room, CommandReply reply, Action action);

  // From an action: a join is under way from here to Settle.
  void Begin(const Caller& caller, const std::string& room);

  // The join has taken its place, or failed: what waited for it has its turn.
  void Settle(const Caller& caller, const std::string& room);

  // The caller was gone before its join took its place: what waited is answered with `error`.
  void Abandon(const Caller& caller, const std::string& room, const CommandError& error);

  // Rooms that the caller is about to enter and isn't in yet.
  size_t EnteringCount(const Caller& caller) const;

 private:
  struct Command {
    CommandReply reply;
    Action action;
  };
  struct Room {
    bool joining = false;
    bool entering = false;  // the caller wasn't in it when the join began
    std::deque<Command> waiting;
  };
  using Rooms = absl::flat_hash_map<std::string, Room>;

  // The caller's `room`, if something is going on there; else null.
  Room* Find(const Caller& caller, const std::string& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Erase(const Caller& caller, const std::string& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  // By the caller's address, not its connection id: a session that resumed may have the id of the
  // one before it, whose join is still under way.
  absl::flat_hash_map<const Caller*, Rooms> callers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace msab

#endif  // MSAB_ROOMS_PENDING_JOINS_H_
