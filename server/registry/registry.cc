#include "server/registry/registry.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"

namespace msab {
namespace {

// Sets of records that are found by the id they hold.
struct ById {
  using is_transparent = void;
  static std::string_view Id(std::string_view id) { return id; }
  template <typename T>
  static std::string_view Id(const std::unique_ptr<T>& record) {
    return record->id();
  }
};
struct IdHash : ById {
  template <typename T>
  size_t operator()(const T& of) const {
    return absl::Hash<std::string_view>()(Id(of));
  }
};
struct IdEq : ById {
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return Id(a) == Id(b);
  }
};
template <typename T>
using IdSet = absl::flat_hash_set<std::unique_ptr<T>, IdHash, IdEq>;

// The connections of a room, or of the node, counted, so that nobody has to walk them.
struct Crowd {
  uint32_t users_online = 0;
  uint32_t connections = 0;
  ShardSet shards = 0;
  absl::InlinedVector<uint32_t, 4> by_shard;

  void Enter(int shard) {
    if (by_shard.size() <= static_cast<size_t>(shard)) by_shard.resize(shard + 1);
    if (by_shard[shard]++ == 0) shards |= ShardSet{1} << shard;
    ++connections;
  }
  void Exit(int shard) {
    if (--by_shard[shard] == 0) shards &= ~(ShardSet{1} << shard);
    --connections;
  }
};

struct Presence;

struct Connection {
  ConnectionInfo info;
  absl::InlinedVector<Presence*, 1> presences;  // its user's, in the rooms it joined

  const std::string& id() const { return info.id; }
};

struct Room {
  std::string name;
  Crowd crowd;
  uint32_t participants = 0;
  size_t profile_bytes = 0;
  Presence* first = nullptr;  // in the order of their coming
  Presence* last = nullptr;

  const std::string& id() const { return name; }
};

// A user's participation in a room.
struct Presence {
  Presence(UserId user, Room* room) : user(user), room(room), previous(room->last) {}

  const UserId user;
  Room* const room;
  absl::InlinedVector<Connection*, 1> connections;  // empty: within the grace, until leave_at
  std::shared_ptr<const std::string> profile;
  int64_t leave_at = 0;
  Presence* previous;
  Presence* next = nullptr;
};

// Kept while there is a connection or a presence.
struct User {
  absl::InlinedVector<Connection*, 1> connections;
  absl::InlinedVector<Presence*, 1> presences;
};

template <typename V, typename T>
void Erase(V& list, T* item) {
  const auto it = absl::c_find(list, item);
  *it = list.back();
  list.pop_back();
}

template <typename V>
Presence* In(const V& presences, std::string_view room) {
  const auto it =
      absl::c_find_if(presences, [room](const Presence* in) { return in->room->name == room; });
  return it == presences.end() ? nullptr : *it;
}

}  // namespace

struct Registry::Impl {
  IdSet<Connection> connections;
  IdSet<Room> rooms;
  absl::flat_hash_map<UserId, User> users;
  Crowd everyone;
  absl::btree_set<std::pair<int64_t, Presence*>> leaving;  // by leave_at

  ~Impl() {
    for (const auto& room : rooms) {
      for (Presence* in = room->first; in != nullptr;) delete std::exchange(in, in->next);
    }
  }

  Connection* Find(std::string_view id) const {
    const auto it = connections.find(id);
    return it == connections.end() ? nullptr : it->get();
  }

  const User* FindUser(UserId id) const {
    const auto it = users.find(id);
    return it == users.end() ? nullptr : &it->second;
  }

  Presence* FindPresence(UserId user, std::string_view room) const {
    const User* const record = FindUser(user);
    return record == nullptr ? nullptr : In(record->presences, room);
  }

  void DropUserIfGone(UserId id) {
    const auto it = users.find(id);
    if (it->second.connections.empty() && it->second.presences.empty()) users.erase(it);
  }

  Room* FindRoom(std::string_view name) const {
    const auto it = rooms.find(name);
    return it == rooms.end() ? nullptr : it->get();
  }

  // A new participant, the last in the room's order.
  Presence* Enter(UserId user, const std::string& name) {
    Room* room = FindRoom(name);
    if (room == nullptr) {
      auto made = std::make_unique<Room>();
      made->name = name;
      room = rooms.insert(std::move(made)).first->get();
    }
    auto* const in = new Presence(user, room);
    (room->last == nullptr ? room->first : room->last->next) = in;
    room->last = in;
    ++room->participants;
    users[user].presences.push_back(in);
    return in;
  }

  static void SetProfile(Presence* in, std::shared_ptr<const std::string> profile) {
    if (in->profile != nullptr) in->room->profile_bytes -= in->profile->size();
    in->room->profile_bytes += profile->size();
    in->profile = std::move(profile);
  }

  // The connection is in the room no longer; the user still participates.
  static void TakeOut(Presence* in, Connection* connection) {
    Erase(in->connections, connection);
    in->room->crowd.Exit(connection->info.shard);
    if (in->connections.empty()) --in->room->crowd.users_online;
  }

  // What a crowd reaches. `theirs(user)` gives a user's connections in it, or null.
  template <typename F>
  Reach FindCrowd(const Crowd& crowd, uint32_t targeted, std::string_view except_connection,
                  UserId except_user, F theirs) const {
    Reach reach{crowd.shards, {targeted, crowd.users_online, crowd.connections}};
    if (except_user == 0 && except_connection.empty()) return reach;
    std::array<uint32_t, kMaxShards> gone{};
    const auto leave_out = [&](const Connection* connection) {
      const int shard = connection->info.shard;
      if (++gone[shard] == crowd.by_shard[shard]) reach.shards &= ~(ShardSet{1} << shard);
      --reach.recipients.connections;
    };
    if (const auto* const own = except_user == 0 ? nullptr : theirs(except_user)) {
      --reach.recipients.users_targeted;
      if (!own->empty()) --reach.recipients.users_online;
      for (const Connection* const connection : *own) leave_out(connection);
    }
    const Connection* const except = Find(except_connection);
    if (except == nullptr || except->info.user == except_user) return reach;
    const auto* const own = theirs(except->info.user);
    if (own == nullptr || !absl::c_linear_search(*own, except)) return reach;
    if (own->size() == 1) --reach.recipients.users_online;
    leave_out(except);
    return reach;
  }

  // The user participates no longer.
  void Depart(Presence* in) {
    Room* const room = in->room;
    (in->previous == nullptr ? room->first : in->previous->next) = in->next;
    (in->next == nullptr ? room->last : in->next->previous) = in->previous;
    room->profile_bytes -= in->profile->size();
    Erase(users.find(in->user)->second.presences, in);
    DropUserIfGone(in->user);
    delete in;
    if (--room->participants == 0) rooms.erase(rooms.find(room->name));
  }
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

bool Registry::Add(ConnectionInfo connection) {
  auto record = std::make_unique<Connection>();
  record->info = std::move(connection);
  Connection* const added = record.get();
  if (!impl_->connections.insert(std::move(record)).second) return false;
  auto& own = impl_->users[added->info.user].connections;
  if (own.empty()) ++impl_->everyone.users_online;
  own.push_back(added);
  impl_->everyone.Enter(added->info.shard);
  return true;
}

void Registry::Remove(std::string_view connection, int64_t leave_at) {
  const auto it = impl_->connections.find(connection);
  if (it == impl_->connections.end()) return;
  Connection* const gone = it->get();
  for (Presence* const in : gone->presences) {
    Impl::TakeOut(in, gone);
    if (!in->connections.empty()) continue;
    in->leave_at = leave_at;
    impl_->leaving.emplace(leave_at, in);
  }
  const UserId user = gone->info.user;
  auto& own = impl_->users.find(user)->second.connections;
  Erase(own, gone);
  if (own.empty()) --impl_->everyone.users_online;
  impl_->everyone.Exit(gone->info.shard);
  impl_->DropUserIfGone(user);
  impl_->connections.erase(it);
}

const ConnectionInfo* Registry::Get(std::string_view connection) const {
  const Connection* const found = impl_->Find(connection);
  return found == nullptr ? nullptr : &found->info;
}

Registry::JoinOutcome Registry::Join(std::string_view connection, const std::string& room,
                                     std::shared_ptr<const std::string> profile) {
  Connection* const joining = impl_->Find(connection);
  if (joining == nullptr) return {};
  JoinOutcome outcome;
  outcome.known = true;
  Presence* in = impl_->FindPresence(joining->info.user, room);
  if (in == nullptr) {
    in = impl_->Enter(joining->info.user, room);
    outcome.user_entered = true;
  } else if (absl::c_linear_search(in->connections, joining)) {
    outcome.already = true;
    if (profile != nullptr) Impl::SetProfile(in, std::move(profile));
    return outcome;
  } else if (in->connections.empty()) {
    impl_->leaving.erase({in->leave_at, in});
  }
  if (in->connections.empty()) ++in->room->crowd.users_online;
  in->connections.push_back(joining);
  in->room->crowd.Enter(joining->info.shard);
  Impl::SetProfile(in, profile != nullptr ? std::move(profile) : joining->info.profile);
  joining->presences.push_back(in);
  return outcome;
}

Registry::LeaveOutcome Registry::Leave(std::string_view connection, const std::string& room) {
  Connection* const leaving = impl_->Find(connection);
  if (leaving == nullptr) return {};
  Presence* const in = In(leaving->presences, room);
  if (in == nullptr) return {};
  Erase(leaving->presences, in);
  Impl::TakeOut(in, leaving);
  if (!in->connections.empty()) return {true, false};
  impl_->Depart(in);
  return {true, true};
}

std::vector<Registry::Departed> Registry::TakeDeparted(int64_t now, size_t limit) {
  std::vector<Departed> departed;
  auto& leaving = impl_->leaving;
  while (departed.size() < limit && !leaving.empty() && leaving.begin()->first <= now) {
    Presence* const in = leaving.begin()->second;
    leaving.erase(leaving.begin());
    departed.push_back({in->user, in->room->name});
    impl_->Depart(in);
  }
  return departed;
}

Reach Registry::Find(const Target& target, std::string_view except_connection,
                     UserId except_user) const {
  Reach reach;
  const auto count = [&](const auto& connections) {
    uint32_t online = 0;
    for (const Connection* const connection : connections) {
      if (!except_connection.empty() && connection->info.id == except_connection) continue;
      reach.shards |= ShardSet{1} << connection->info.shard;
      ++online;
    }
    reach.recipients.connections += online;
    if (online != 0) ++reach.recipients.users_online;
  };
  switch (target.kind) {
    case Target::Kind::kUsers:
      reach.recipients.users_targeted = static_cast<uint32_t>(target.users.size());
      for (const UserId id : target.users) {
        const User* const user = id == except_user ? nullptr : impl_->FindUser(id);
        if (user != nullptr) count(user->connections);
      }
      return reach;
    case Target::Kind::kUserInRoom: {
      reach.recipients.users_targeted = 1;
      const UserId id = target.users.front();
      const Presence* const in = id == except_user ? nullptr : impl_->FindPresence(id, target.room);
      if (in != nullptr) count(in->connections);
      return reach;
    }
    case Target::Kind::kRoom: {
      const Room* const room = impl_->FindRoom(target.room);
      if (room == nullptr) return reach;
      return impl_->FindCrowd(room->crowd, room->participants, except_connection, except_user,
                              [&](UserId user) {
                                const Presence* const in = impl_->FindPresence(user, target.room);
                                return in == nullptr ? nullptr : &in->connections;
                              });
    }
    case Target::Kind::kEveryone:
      return impl_->FindCrowd(
          impl_->everyone, impl_->everyone.users_online, except_connection, except_user,
          [&](UserId id) {
            const User* const user = impl_->FindUser(id);
            return user == nullptr || user->connections.empty() ? nullptr : &user->connections;
          });
  }
  return reach;
}

std::string Registry::ParticipantsJson(const std::string& room) const {
  std::string json = "[";
  if (const Room* const found = impl_->FindRoom(room)) {
    json.reserve(found->profile_bytes + found->participants + 2);
    for (const Presence* in = found->first; in != nullptr; in = in->next) {
      if (in != found->first) json += ',';
      json += *in->profile;
    }
  }
  json += ']';
  return json;
}

size_t Registry::ConnectionsOf(UserId user) const {
  const User* const found = impl_->FindUser(user);
  return found == nullptr ? 0 : found->connections.size();
}

bool Registry::IsMember(std::string_view connection, const std::string& room) const {
  const Connection* const found = impl_->Find(connection);
  return found != nullptr && In(found->presences, room) != nullptr;
}

size_t Registry::connections() const { return impl_->connections.size(); }
size_t Registry::users() const { return impl_->everyone.users_online; }
size_t Registry::rooms() const { return impl_->rooms.size(); }

}  // namespace msab
