#ifndef MSAB_CONTRACT_AUDIENCE_H_
#define MSAB_CONTRACT_AUDIENCE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msab {

// A user's id as Laravel knows it: 1 … 2^53−1, so that every JSON reader keeps it exact.
using UserId = int64_t;
inline constexpr UserId kMaxUserId = (int64_t{1} << 53) - 1;

// The most user ids that one emit may name.
inline constexpr int kMaxTargetUsers = 10'000;

// Whom an event goes to, as resolved from the emit's `target` and its payload.
struct Target {
  enum class Kind : uint8_t { kUsers, kRoom, kUserInRoom, kEveryone };

  Kind kind = Kind::kEveryone;
  std::vector<UserId>
      users;         // kUsers: distinct, at least one, in the order given; kUserInRoom: one
  std::string room;  // kRoom, kUserInRoom

  static Target User(UserId user) { return {Kind::kUsers, {user}, {}}; }
  static Target Users(std::vector<UserId> users) { return {Kind::kUsers, std::move(users), {}}; }
  static Target Room(std::string room) { return {Kind::kRoom, {}, std::move(room)}; }
  static Target UserInRoom(UserId user, std::string room) {
    return {Kind::kUserInRoom, {user}, std::move(room)};
  }
  static Target Everyone() { return {}; }

  friend bool operator==(const Target&, const Target&) = default;
};

// One audience of the log's index: a user's private events, a room's, one user's in one room, or
// everyone's. A session reads: everyone, its user, and for each of its rooms the room and
// (user, room).
struct AudienceKey {
  UserId user = 0;   // 0: not bound to a user
  std::string room;  // empty: not bound to a room

  static AudienceKey Everyone() { return {}; }
  static AudienceKey User(UserId user) { return {user, {}}; }
  static AudienceKey Room(std::string room) { return {0, std::move(room)}; }
  static AudienceKey UserInRoom(UserId user, std::string room) { return {user, std::move(room)}; }

  friend bool operator==(const AudienceKey&, const AudienceKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const AudienceKey& key) {
    return H::combine(std::move(h), key.user, key.room);
  }
};

// True for a room id of the wire: 1–64 of [A-Za-z0-9_:.-].
bool IsRoomId(std::string_view room);

}  // namespace msab

#endif  // MSAB_CONTRACT_AUDIENCE_H_
