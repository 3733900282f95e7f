#include "server/contract/addressing.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "msab/v1/event_service.pb.h"

namespace msab {
namespace {

bool IsUserId(int64_t id) { return id >= 1 && id <= kMaxUserId; }

std::string UserIdRule() { return fmt::format("must be a whole number from 1 to {}", kMaxUserId); }

// "user_id, user_ids or user_in_room": the targets that the type's audiences allow.
std::string AllowedTargets(const EventType& type) {
  std::vector<std::string_view> names;
  if (type.to_user) names.insert(names.end(), {"user_id", "user_ids"});
  if (type.to_room) names.push_back("room_id");
  if (type.to_user || type.to_room) names.push_back("user_in_room");
  if (type.to_everyone) names.push_back("everyone");
  const std::string_view last = names.back();
  names.pop_back();
  return names.empty() ? std::string(last) : fmt::format("{} or {}", fmt::join(names, ", "), last);
}

std::optional<Target> Forbidden(const EventType& type, std::string_view given,
                                Violations& violations) {
  violations.Add("target", fmt::format("{} is not allowed for {}: must be {}", given, type.name,
                                       AllowedTargets(type)));
  return std::nullopt;
}

// The ids, each once, in the order given. Lists that come sorted (as a database gives them) cost
// one pass.
std::vector<UserId> Distinct(const google::protobuf::RepeatedField<int64_t>& ids) {
  if (std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end()) {
    return {ids.begin(), ids.end()};
  }
  std::vector<UserId> distinct;
  distinct.reserve(ids.size());
  absl::flat_hash_set<UserId> seen;
  seen.reserve(ids.size());
  for (const UserId id : ids) {
    if (seen.insert(id).second) distinct.push_back(id);
  }
  return distinct;
}

std::optional<Target> ToUsers(const google::protobuf::RepeatedField<int64_t>& ids,
                              Violations& violations) {
  if (ids.empty() || ids.size() > kMaxTargetUsers) {
    violations.Add("target.user_ids",
                   fmt::format("has {} ids: must have 1 to {}", ids.size(), kMaxTargetUsers));
    return std::nullopt;
  }
  bool fit = true;
  for (int i = 0; i < ids.size(); ++i) {
    if (IsUserId(ids[i])) continue;
    violations.Add(fmt::format("target.user_ids.ids[{}]", i), UserIdRule());
    fit = false;
  }
  if (!fit) return std::nullopt;
  return Target::Users(Distinct(ids));
}

// The given target by itself: allowed for the type, and its ids well-formed.
std::optional<Target> Read(const EventType& type, const v1::Target& given, Violations& violations) {
  switch (given.to_case()) {
    case v1::Target::kUserId:
      if (!type.to_user) return Forbidden(type, "user_id", violations);
      if (IsUserId(given.user_id())) return Target::User(given.user_id());
      violations.Add("target.user_id", UserIdRule());
      return std::nullopt;
    case v1::Target::kUserIds:
      if (!type.to_user) return Forbidden(type, "user_ids", violations);
      return ToUsers(given.user_ids().ids(), violations);
    case v1::Target::kRoomId:
      if (!type.to_room) return Forbidden(type, "room_id", violations);
      if (IsRoomId(given.room_id())) return Target::Room(given.room_id());
      violations.Add("target.room_id", "must be 1 to 64 of A-Z a-z 0-9 _ : . -");
      return std::nullopt;
    case v1::Target::kUserInRoom: {
      if (!type.to_user && !type.to_room) return Forbidden(type, "user_in_room", violations);
      const v1::UserInRoom& in = given.user_in_room();
      const bool user = IsUserId(in.user_id());
      const bool room = IsRoomId(in.room_id());
      if (user && room) return Target::UserInRoom(in.user_id(), in.room_id());
      if (!user) violations.Add("target.user_in_room.user_id", UserIdRule());
      if (!room) {
        violations.Add("target.user_in_room.room_id", "must be 1 to 64 of A-Z a-z 0-9 _ : . -");
      }
      return std::nullopt;
    }
    case v1::Target::kEveryone:
      if (!type.to_everyone) return Forbidden(type, "everyone", violations);
      return Target::Everyone();
    case v1::Target::TO_NOT_SET:
      violations.Add("target", fmt::format("names nobody: must be {}", AllowedTargets(type)));
      return std::nullopt;
  }
  return std::nullopt;
}

// The target where none was given.
std::optional<Target> Derive(const EventType& type, const NamedByPayload& named,
                             Violations& violations) {
  if (named.user != 0) return Target::User(named.user);
  if (!named.room.empty()) return Target::Room(named.room);
  if (type.to_everyone && !type.to_user && !type.to_room) return Target::Everyone();
  violations.Add("target", fmt::format("is required: {} doesn't say whom it is for; must be {}",
                                       type.name, AllowedTargets(type)));
  return std::nullopt;
}

}  // namespace

std::optional<Target> ResolveTarget(const EventType& type, const v1::Target* given,
                                    const NamedByPayload& named, Violations& violations) {
  if (given == nullptr) return Derive(type, named, violations);
  std::optional<Target> target = Read(type, *given, violations);
  if (!target) return std::nullopt;
  const bool other_user = named.user != 0 && target->users != std::vector<UserId>{named.user};
  const bool other_room = !named.room.empty() && target->room != named.room;
  if (!other_user && !other_room) return target;
  violations.Add("target",
                 fmt::format("contradicts the payload: must name the payload's {}, or be left out",
                             other_user ? "user" : "room"));
  return std::nullopt;
}

}  // namespace msab
