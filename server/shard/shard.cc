#include "server/shard/shard.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "boost/asio/executor_work_guard.hpp"

namespace msab {
namespace {

// What one turn runs at most before the writes, so that neither a flood of input nor a long inbox
// holds back what is already put out.
constexpr int kHandlersPerTurn = 256;
constexpr size_t kItemsPerTurn = 64;
// Sessions that replay put out more as soon as the socket has taken what was there; after so many
// rounds the others get their turn.
constexpr int kFlushRounds = 4;

// How many sessions or connections ahead their memory is asked for.
constexpr size_t kPrefetch = 4;

// Frames of history are kept this long after the last replay.
constexpr int64_t kReplayMemoryMillis = 30'000;

// A client that is asked to leave comes back after this long at least (ms), so that a rolling
// restart has a place for it.
constexpr int64_t kMinRetryAfter = 500;

}  // namespace

Shard::Shard(int index, const House& house, Options options)
    : index_(index),
      house_(house),
      options_(options),
      inbox_(options.inbox, [this] { net::post(io_, [this] { HandleInbox(); }); }),
      listener_(*this),
      wheel_(house.clock->SteadyMillis()),
      ticker_(io_),
      now_(house.clock->SteadyMillis()) {}

Shard::~Shard() {
  AbortAll();
  // What waits may hold connections, whose sockets must go before the io_context does.
  std::vector<InboxItem> waiting;
  inbox_.TakeAll(waiting);
}

absl::Status Shard::Listen(const HostPort& address) {
  absl::Status opened = listener_.Open(address);
  if (opened.ok()) listener_.Start();
  return opened;
}

int64_t Shard::NowSteady() const {
  if (now_is_stale_) {
    now_ = house_.clock->SteadyMillis();
    now_is_stale_ = false;
  }
  return now_;
}

void Shard::Run() {
  const auto work = net::make_work_guard(io_);
  WaitForTick();
  while (!stopping_) {
    now_is_stale_ = true;
    io_.run_one();
    for (int i = 1; i < kHandlersPerTurn && io_.poll_one() > 0; ++i) {
    }
    RunTimers();
    EndTurn();
  }
  listener_.Stop();
  AbortAll();
  EndTurn();
}

void Shard::Stop() {
  net::post(io_, [this] { stopping_ = true; });
}

bool Shard::Turn() {
  const auto work = net::make_work_guard(io_);
  now_is_stale_ = true;
  bool ran = false;
  for (int i = 0; i < kHandlersPerTurn && io_.poll_one() > 0; ++i) ran = true;
  RunTimers();
  EndTurn();
  return ran;
}

void Shard::WaitForTick() {
  ticker_.expires_after(std::chrono::milliseconds(TimerWheel::kTickMillis));
  ticker_.async_wait([this](boost::system::error_code error) {
    if (!error) WaitForTick();
  });
}

void Shard::RunTimers() {
  const int64_t tick = NowSteady() / TimerWheel::kTickMillis;
  if (tick == ticked_) return;
  ticked_ = tick;
  Settle();
  if (drain_spread_ > 0) DrainSome();
  if (!frames_.empty() && NowSteady() - replayed_at_ > kReplayMemoryMillis) frames_.Clear();
  wheel_.Advance(NowSteady());
}

// Moves settled() up to the Dispatcher's head although none of the latest events came this way, so
// that the cursor of a quiet session follows.
void Shard::Settle() {
  const uint64_t head = house_.dispatcher->Head();
  if (next_ < taken_.size()) return;  // busy: it moves by itself
  // Whatever is numbered up to `head` for this shard was pushed before Head() could tell of it.
  HandleInbox();
  if (next_ == taken_.size()) settled_ = std::max(settled_, head);
}

void Shard::HandleInbox() {
  if (next_ == taken_.size()) {
    taken_.clear();
    next_ = 0;
    inbox_.TakeAll(taken_);
  }
  const size_t end = std::min(taken_.size(), next_ + kItemsPerTurn);
  const size_t count = end - next_;
  while (next_ < end) {
    InboxItem item = std::move(taken_[next_++]);
    if (item.entry != nullptr) {
      Hand(item.entry);
      for (Session* session : full_) session->Relieve();
      full_.clear();
    } else {
      item.task();
    }
  }
  inbox_.Handled(count);
}

void Shard::Hand(const EntryPtr& entry) {
  counters_.entries.Add();
  if (entry->sequence != 0) settled_ = entry->sequence;
  if (entry->ExpiredAt(NowWall())) {
    counters_.expired.Add();
    return;
  }
  std::array<FramePtr, kDialects> frames;
  const auto give = [&](Session* session) {
    FramePtr& frame = frames[static_cast<size_t>(session->dialect().id())];
    if (!frame) frame = session->dialect().Event(entry, epoch());
    session->Deliver(entry, frame);
  };
  const auto give_all = [&](const Sessions& sessions) {
    for (size_t i = 0; i < sessions.size(); ++i) {
      if (i + kPrefetch < sessions.size()) sessions[i + kPrefetch]->Prefetch();
      give(sessions[i]);
    }
  };
  const Target& target = entry->target;
  switch (target.kind) {
    case Target::Kind::kEveryone:
      give_all(all_);
      break;
    case Target::Kind::kRoom: {
      const auto room = rooms_.find(target.room);
      if (room == rooms_.end()) break;
      give_all(room->second);
      break;
    }
    case Target::Kind::kUsers: {
      // The log names those for whom it came too late in the target's own order.
      auto superseded = entry->superseded_for.begin();
      for (UserId id : target.users) {
        if (superseded != entry->superseded_for.end() && superseded->user == id) {
          ++superseded;
          continue;
        }
        const auto user = users_.find(id);
        if (user == users_.end()) continue;
        for (Session* session : user->second) give(session);
      }
      break;
    }
    case Target::Kind::kUserInRoom: {
      const auto user = users_.find(target.users.front());
      if (user == users_.end()) break;
      for (Session* session : user->second) {
        if (session->InRoom(target.room)) give(session);
      }
      break;
    }
  }
}

absl::StatusOr<uint64_t> Shard::Admit(Session& session, ConnectionInfo connection,
                                      const std::vector<AllowedRoom>& rooms) {
  const auto registration = house_.dispatcher->Register(std::move(connection), rooms);
  if (!registration.ok()) return registration.status();
  users_[session.user()].push_back(&session);
  session.set_place_in_all(all_.size());
  all_.push_back(&session);
  for (const AllowedRoom& allowed : rooms) EnterRoom(session, allowed.room);
  counters_.sessions.Add();
  counters_.sessions_opened.Add();
  return registration->head;
}

void Shard::Dismiss(Session& session, bool leaving) {
  house_.dispatcher->Unregister(session.connection_id(), leaving);
  for (const std::string& room : session.rooms()) ExitRoom(session, room);
  all_.back()->set_place_in_all(session.place_in_all());
  all_[session.place_in_all()] = all_.back();
  all_.pop_back();
  const auto user = users_.find(session.user());
  user->second.erase(std::find(user->second.begin(), user->second.end(), &session));
  if (user->second.empty()) users_.erase(user);
  counters_.sessions.Add(-1);
}

void Shard::Supersede(const std::string& connection_id, UserId user, ResumeStore::Term term,
                      absl::AnyInvocable<void(bool)> done) {
  const std::optional<int> holder = house_.dispatcher->ShardOf(connection_id);
  if (!holder) {
    return Post([done = std::move(done)]() mutable { done(true); });
  }
  Shard& other = *(*house_.shards)[static_cast<size_t>(*holder)];
  other.Post([this, &other, connection_id, user, term, done = std::move(done)]() mutable {
    const bool ended = other.EndSession(connection_id, user, term);
    Post([done = std::move(done), ended]() mutable { done(ended); });
  });
}

bool Shard::EndSession(const std::string& connection_id, UserId user, ResumeStore::Term term) {
  const auto sessions = users_.find(user);
  if (sessions == users_.end()) return true;
  for (Session* session : sessions->second) {
    if (session->connection_id() == connection_id) return session->Supersede(term);
  }
  return true;
}

void Shard::EnterRoom(Session& session, const std::string& room) {
  rooms_[room].push_back(&session);
}

void Shard::ExitRoom(Session& session, std::string_view room) {
  const auto it = rooms_.find(absl::string_view(room.data(), room.size()));
  Sessions& members = it->second;
  // Order among members means nothing: the last takes the place.
  *std::find(members.begin(), members.end(), &session) = members.back();
  members.pop_back();
  if (members.empty()) rooms_.erase(it);
}

FramePtr Shard::ReplayFrame(const Dialect& dialect, const EntryPtr& entry) {
  replayed_at_ = NowSteady();
  return frames_.Get(dialect, entry, epoch());
}

void Shard::Adopt(std::shared_ptr<Connection> connection) {
  connections_.insert(std::move(connection));
}

void Shard::Retire(Connection& connection) {
  if (connection.dirty) std::erase(dirty_, &connection);
  const auto it = connections_.find(&connection);
  if (it == connections_.end()) return;
  // Kept to the end of the turn: lists of this turn may still name it.
  retired_.push_back(std::move(connections_.extract(it).value()));
}

void Shard::MarkDirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(&connection);
}

void Shard::EndTurn() {
  for (int round = 0; round < kFlushRounds && !dirty_.empty(); ++round) {
    flushing_.swap(dirty_);
    for (size_t i = 0; i < flushing_.size(); ++i) {
      if (i + kPrefetch < flushing_.size()) flushing_[i + kPrefetch]->Prefetch();
      flushing_[i]->dirty = false;
      flushing_[i]->Flush();
    }
    flushing_.clear();
  }
  // What came while the shard was at an older part had a wake of its own, which took that part on.
  if (inbox_.size() > 0) {
    net::post(io_, [this] { HandleInbox(); });
  } else if (!dirty_.empty()) {
    net::post(io_, [] {});  // another turn
  }
  retired_.clear();
}

void Shard::BeginDrain(int64_t spread) {
  if (drain_spread_ > 0) return;
  draining_ = true;
  drain_started_ = NowSteady();
  drain_spread_ = std::max<int64_t>(spread, 1);
  leaving_.assign(connections_.begin(), connections_.end());
  drain_total_ = leaving_.size();
}

void Shard::DrainSome() {
  const int64_t elapsed = std::min(NowSteady() - drain_started_, drain_spread_);
  const size_t due =
      drain_total_ * static_cast<size_t>(elapsed) / static_cast<size_t>(drain_spread_);
  while (!leaving_.empty() && drain_total_ - leaving_.size() < due) {
    const std::shared_ptr<Connection> connection = leaving_.back().lock();
    leaving_.pop_back();
    if (connection == nullptr) continue;
    connection->Drain(kMinRetryAfter + absl::Uniform<int64_t>(random_, 0, drain_spread_));
  }
}

void Shard::AbortAll() {
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->Abort();
}

}  // namespace msab
