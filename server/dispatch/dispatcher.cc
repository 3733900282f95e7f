#include "server/dispatch/dispatcher.h"

#include <algorithm>
#include <limits>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

namespace msab {
namespace {

// Departures announced under one hold of the lock.
constexpr size_t kDeparturesAtOnce = 64;

template <typename F>
void ForEachShard(ShardSet shards, F f) {
  for (; shards != 0; shards &= shards - 1) f(__builtin_ctzll(shards));
}

}  // namespace

Dispatcher::Dispatcher(const Catalog& catalog, const Clock& clock, EventLog& log, Options options)
    : catalog_(catalog),
      clock_(clock),
      log_(log),
      options_(options),
      epoch_(log.epoch()),
      head_(log.Head()) {
  log_.SetListener(this);
}

void Dispatcher::AddShard(Inbox* inbox) { inboxes_.push_back(inbox); }

void Dispatcher::Dispatch(const std::shared_ptr<Entry>& entry, DispatchDone done) {
  Answer answer{kNoShard, std::move(done)};
  std::optional<absl::StatusOr<Dispatched>> result;
  {
    absl::MutexLock lock(&mu_);
    result = Step(entry, answer);
  }
  if (result.has_value()) answer.done(*std::move(result));
}

void Dispatcher::DispatchFrom(int shard, const std::shared_ptr<Entry>& entry, DispatchDone done) {
  Answer answer{shard, std::move(done)};
  absl::MutexLock lock(&mu_);
  const std::optional<absl::StatusOr<Dispatched>> result = Step(entry, answer);
  // Whatever Step didn't hand on still waits for its answer.
  if (result.has_value()) Reply(*result, answer);
}

std::optional<absl::StatusOr<Dispatched>> Dispatcher::Step(const std::shared_ptr<Entry>& entry,
                                                           Answer& answer) {
  if (draining_) return absl::UnavailableError("draining");
  const Reach reach = Find(*entry);
  if (entry->expires_at != 0 && entry->ExpiredAt(clock_.WallMillis())) {
    Dispatched expired;
    expired.sequence = head_;
    expired.expired = true;
    expired.recipients.users_targeted = reach.recipients.users_targeted;
    return expired;
  }
  if (!HaveRoom(reach.shards)) return absl::ResourceExhaustedError("a shard's inbox is full");
  if (entry->type->delivery == DeliveryClass::kEphemeral) {
    const Dispatched passed{head_, false, false, reach.recipients};
    Reply(passed, answer);
    Push(entry, reach.shards);
    return passed;
  }
  if (entry->type->delivery == DeliveryClass::kLatest && !entry->occurred_at_given) {
    entry->occurred_at = last_state_at_ = std::max(last_state_at_, entry->occurred_at);
  }
  const std::optional<absl::StatusOr<Appended>> outcome = log_.Append(entry);
  if (!outcome.has_value()) {
    waiting_.emplace(entry.get(), std::move(answer));
    return std::nullopt;
  }
  return Settle(entry, *outcome, reach, answer);
}

absl::StatusOr<Dispatched> Dispatcher::Settle(const std::shared_ptr<Entry>& entry,
                                              const absl::StatusOr<Appended>& outcome, Reach reach,
                                              Answer& answer) {
  if (!outcome.ok()) {
    Reply(outcome.status(), answer);
    return outcome.status();
  }
  Dispatched dispatched;
  dispatched.sequence = head_;
  if (outcome->superseded) {
    dispatched.superseded = true;
    dispatched.recipients.users_targeted = reach.recipients.users_targeted;
    Reply(dispatched, answer);
    return dispatched;
  }
  const uint32_t targeted = reach.recipients.users_targeted;
  if (!entry->superseded_for.empty()) {
    // Only of several named users some can have a newer state already.
    Target rest{Target::Kind::kUsers, {}, {}};
    auto superseded = entry->superseded_for.begin();
    for (const UserId user : entry->target.users) {
      if (superseded != entry->superseded_for.end() && superseded->user == user) {
        ++superseded;
      } else {
        rest.users.push_back(user);
      }
    }
    reach = registry_.Find(rest, entry->except_connection, entry->except_user);
  }
  head_ = outcome->sequence;
  dispatched.sequence = outcome->sequence;
  dispatched.recipients = reach.recipients;
  dispatched.recipients.users_targeted = targeted;
  Reply(dispatched, answer);
  Push(entry, reach.shards);
  return dispatched;
}

void Dispatcher::OnAppended(std::shared_ptr<Entry> entry, absl::StatusOr<Appended> outcome) {
  Answer answer;
  absl::StatusOr<Dispatched> result;
  {
    absl::MutexLock lock(&mu_);
    const auto waiting = waiting_.find(entry.get());
    answer = std::move(waiting->second);
    waiting_.erase(waiting);
    if (!answer.done && !outcome.ok()) ++notices_lost_;
    result = Settle(entry, outcome, Find(*entry), answer);
  }
  if (answer.done) answer.done(std::move(result));
}

void Dispatcher::Reply(const absl::StatusOr<Dispatched>& result, Answer& answer) {
  if (answer.shard == kNoShard || !answer.done) return;
  Post(answer.shard, [done = std::exchange(answer.done, nullptr), outcome = result]() mutable {
    done(std::move(outcome));
  });
}

void Dispatcher::Push(const EntryPtr& entry, ShardSet shards) {
  ForEachShard(shards, [&](int shard) { inboxes_[shard]->Push({entry, nullptr}); });
}

bool Dispatcher::HaveRoom(ShardSet shards) const {
  bool room = true;
  ForEachShard(shards, [&](int shard) { room = room && inboxes_[shard]->HasRoom(); });
  return room;
}

Reach Dispatcher::Find(const Entry& entry) const {
  return registry_.Find(entry.target, entry.except_connection, entry.except_user);
}

uint64_t Dispatcher::Head() const {
  absl::MutexLock lock(&mu_);
  return head_;
}

absl::StatusOr<Dispatcher::Registration> Dispatcher::Register(
    ConnectionInfo connection, const std::vector<AllowedRoom>& rooms) {
  const ConnectionInfo own = connection;
  absl::MutexLock lock(&mu_);
  // First, because whoever holds the id counts among the user's connections and is to go.
  if (registry_.Get(own.id) != nullptr) {
    return absl::AlreadyExistsError("the connection id is in use");
  }
  if (options_.max_per_user != 0 && registry_.ConnectionsOf(own.user) >= options_.max_per_user) {
    return absl::ResourceExhaustedError("too many connections of this user");
  }
  registry_.Add(std::move(connection));
  const Registration registration{head_};
  for (const AllowedRoom& allowed : rooms) {
    if (registry_.Join(own.id, allowed.room, allowed.profile).user_entered) {
      AnnounceJoined(own, allowed.room, allowed.profile.get());
    }
  }
  return registration;
}

std::optional<int> Dispatcher::ShardOf(const std::string& connection) const {
  absl::MutexLock lock(&mu_);
  const ConnectionInfo* const found = registry_.Get(connection);
  if (found == nullptr) return std::nullopt;
  return found->shard;
}

void Dispatcher::Unregister(const std::string& connection, bool leaving) {
  // Before any other time, so that a goodbye takes out its own user only.
  constexpr int64_t kAtOnce = std::numeric_limits<int64_t>::min();
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  absl::MutexLock lock(&mu_);
  if (draining_) return registry_.Remove(connection, kNever);
  if (!leaving) {
    return registry_.Remove(connection, clock_.SteadyMillis() + options_.leave_grace_ms);
  }
  registry_.Remove(connection, kAtOnce);
  for (const Registry::Departed& gone :
       registry_.TakeDeparted(kAtOnce, std::numeric_limits<size_t>::max())) {
    AnnounceLeft(gone.user, gone.room);
  }
}

absl::Status Dispatcher::Join(const std::string& connection, const std::string& room,
                              absl::AnyInvocable<void(Joined)> at_place,
                              const std::shared_ptr<const std::string>& profile) {
  absl::MutexLock lock(&mu_);
  const ConnectionInfo* const joining = registry_.Get(connection);
  if (joining == nullptr) return absl::NotFoundError("no such connection");
  const ShardSet others = registry_.Find(Target::Room(room), {}, joining->user).shards;
  if (!HaveRoom(others | ShardSet{1} << joining->shard)) {
    return absl::ResourceExhaustedError("a shard's inbox is full");
  }
  const Registry::JoinOutcome outcome = registry_.Join(connection, room, profile);
  Post(joining->shard,
       [at_place = std::move(at_place),
        joined = Joined{head_, outcome.already, registry_.ParticipantsJson(room)}]() mutable {
         at_place(std::move(joined));
       });
  if (outcome.user_entered) AnnounceJoined(*joining, room, profile.get());
  return absl::OkStatus();
}

bool Dispatcher::Leave(const std::string& connection, const std::string& room) {
  absl::MutexLock lock(&mu_);
  const ConnectionInfo* const leaving = registry_.Get(connection);
  if (leaving == nullptr) return false;
  const Registry::LeaveOutcome outcome = registry_.Leave(connection, room);
  if (outcome.user_left && !draining_) AnnounceLeft(leaving->user, room);
  return outcome.was_member;
}

void Dispatcher::SweepDepartures() {
  const int64_t now = clock_.SteadyMillis();
  bool more = true;
  while (more) {
    absl::MutexLock lock(&mu_);
    if (draining_ || !absl::c_all_of(inboxes_, [](Inbox* inbox) { return inbox->HasRoom(); })) {
      return;
    }
    const std::vector<Registry::Departed> departed = registry_.TakeDeparted(now, kDeparturesAtOnce);
    for (const Registry::Departed& gone : departed) AnnounceLeft(gone.user, gone.room);
    more = departed.size() == kDeparturesAtOnce;
  }
}

// Room ids are of the wire's alphabet, which JSON needs no escapes for.
void Dispatcher::AnnounceJoined(const ConnectionInfo& connection, const std::string& room,
                                const std::string* profile) {
  Announce("room:userJoined",
           absl::StrCat(R"({"roomId":")", room, R"(","userId":)", connection.user, R"(,"user":)",
                        profile != nullptr ? *profile : *connection.profile, "}"),
           room, connection.user);
}

void Dispatcher::AnnounceLeft(UserId user, const std::string& room) {
  Announce("room:userLeft", absl::StrCat(R"({"roomId":")", room, R"(","userId":)", user, "}"), room,
           user);
}

void Dispatcher::Announce(std::string_view name, std::string payload, const std::string& room,
                          UserId user) {
  const std::shared_ptr<Entry> entry =
      catalog_.MakeEncoded(name, std::move(payload), Target::Room(room), clock_.WallMillis());
  entry->except_user = user;
  const std::optional<absl::StatusOr<Appended>> outcome = log_.Append(entry);
  Answer nobody;
  if (!outcome.has_value()) {
    waiting_.emplace(entry.get(), std::move(nobody));
    return;
  }
  if (!Settle(entry, *outcome, Find(*entry), nobody).ok()) ++notices_lost_;
}

void Dispatcher::Drain() {
  absl::MutexLock lock(&mu_);
  draining_ = true;
}

bool Dispatcher::draining() const {
  absl::MutexLock lock(&mu_);
  return draining_;
}

Dispatcher::Stats Dispatcher::stats() const {
  absl::MutexLock lock(&mu_);
  return {registry_.connections(), registry_.users(), registry_.rooms(), waiting_.size(),
          notices_lost_};
}

}  // namespace msab
