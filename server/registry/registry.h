#ifndef MSAB_REGISTRY_REGISTRY_H_
#define MSAB_REGISTRY_REGISTRY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "server/contract/audience.h"

namespace msab {

// A set of shards as bits: bit i is shard i. Hence at most 64 shards.
using ShardSet = uint64_t;
inline constexpr int kMaxShards = 64;

// An authenticated connection as it is registered.
struct ConnectionInfo {
  std::string id;  // the wire's connectionId
  UserId user = 0;
  int shard = 0;
  // What others see of the user, one JSON object {"id":…,"name":…,"avatar":…,…}; shared, because
  // a user's connections usually bring the same.
  std::shared_ptr<const std::string> profile;
};

// A room that a connection is let into.
struct AllowedRoom {
  std::string room;
  // What others see of the user there; null: what they see elsewhere, ConnectionInfo::profile.
  std::shared_ptr<const std::string> profile = nullptr;
};

// The truthful half of an emit's answer.
struct Recipients {
  uint32_t users_targeted = 0;  // ids named; a room's participants; everyone: the users online
  uint32_t users_online = 0;    // of these, with at least one connection that gets it
  uint32_t connections = 0;
};

// Where a target's connections are, and how many.
struct Reach {
  ShardSet shards = 0;
  Recipients recipients;
};

// Who is connected, in which rooms, and on which shards: whole for this node.
//
// A room's participants are users, not connections: a user enters with the first connection that
// joins and leaves with the last that does; where that last one was lost rather than left, the
// user stays a participant until the grace is over.
//
// Not thread-safe: owned by the Dispatcher and touched under its lock only.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // A connection id is registered at most once at a time; false if it already is.
  bool Add(ConnectionInfo connection);

  // Removes the connection from every room and from its user. Users without a further connection
  // in a room stay participants until `leave_at` (steady ms). No-op for an unknown id.
  void Remove(std::string_view connection, int64_t leave_at);

  // What Add was given, until Remove; null for an unknown id.
  const ConnectionInfo* Get(std::string_view connection) const;

  struct JoinOutcome {
    bool known = false;         // the connection is registered
    bool already = false;       // this connection was in the room: nothing changed
    bool user_entered = false;  // the user was no participant before
  };
  // `profile`: what others see of the user in this room; null: the connection's.
  JoinOutcome Join(std::string_view connection, const std::string& room,
                   std::shared_ptr<const std::string> profile = nullptr);

  struct LeaveOutcome {
    bool was_member = false;
    bool user_left = false;  // it was the user's last connection there: no participant any more
  };
  LeaveOutcome Leave(std::string_view connection, const std::string& room);

  // Participants whose grace was over at `now` (steady ms), those first whose it was first, at most
  // `limit`; they are participants no longer.
  struct Departed {
    UserId user;
    std::string room;
  };
  std::vector<Departed> TakeDeparted(int64_t now, size_t limit);

  // Where `target` reaches, `except_connection` and `except_user` (0: none) left out. Costs
  // O(users named); for a room or everyone, O(1). Allocates nothing.
  Reach Find(const Target& target, std::string_view except_connection, UserId except_user) const;

  // The room's participants as a JSON array of profiles, in the order of their coming, each as the
  // last connection that joined brought it.
  std::string ParticipantsJson(const std::string& room) const;

  size_t ConnectionsOf(UserId user) const;
  bool IsMember(std::string_view connection, const std::string& room) const;

  size_t connections() const;
  size_t users() const;
  size_t rooms() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab

#endif  // MSAB_REGISTRY_REGISTRY_H_
