#include "server/session/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "server/base/ids.h"

namespace msab {
namespace {

// Entries a replay reads at a time: bounds how long one session holds the shard, and how much it
// holds of the log.
constexpr size_t kReplayPage = 128;

// A replay rests above this part of the high-water mark and goes on when all is written.
constexpr size_t kLowWaterDivisor = 4;

// An application that jumps its clock must not keep a token alive: looked at this often at least.
constexpr int64_t kExpiryCheckMillis = 60'000;

CommandError InvalidPayload(std::string message) {
  return {"INVALID_PAYLOAD", std::move(message), 0, {}};
}

}  // namespace

Session::Session(SessionHost& host, Transport& transport)
    : host_(host), transport_(transport), outbox_(transport.outbox()) {}

Session::~Session() = default;

std::shared_ptr<Session> Session::Share() { return {transport_.Share(), this}; }

void Session::Start() {
  last_heard_ = host_.NowSteady();
  host_.Schedule(*this, last_heard_ + host_.options().auth_timeout);
}

void Session::Open(const Dialect& dialect, Opening opening) {
  dialect_ = &dialect;
  if (!opening.origin_allowed) return Close(CloseCode::kOriginNotAllowed, "origin not allowed");
  if (opening.token.empty()) {
    // The first frame brings it, and may bring cursor and rooms; those of the URL count otherwise.
    entrance_ = std::make_unique<Entrance>();
    entrance_->cursor = std::move(opening.cursor);
    rooms_ = std::move(opening.rooms);
    return;
  }
  Authenticate(opening.token, std::move(opening.cursor), std::move(opening.rooms), std::nullopt);
}

void Session::Authenticate(std::string_view token, std::optional<std::string> cursor,
                           std::vector<std::string> rooms, std::optional<int64_t> reply_to) {
  auto verdict = host_.tokens().Verify(token, host_.NowWall());
  if (const auto* refusal = std::get_if<TokenRefusal>(&verdict)) {
    switch (refusal->error) {
      case TokenError::kExpired:
        return Close(CloseCode::kTokenExpired, "token expired");
      case TokenError::kMissing:
        return Close(CloseCode::kUnauthenticated, "authentication required");
      case TokenError::kInvalid:
        return Close(CloseCode::kUnauthenticated, "invalid credentials");
    }
  }
  auto& identity = std::get<Identity>(verdict);
  user_ = identity.user;
  profile_ = std::make_shared<const std::string>(std::move(identity.profile));
  expires_at_ = identity.expires_at;
  connection_id_ = NewConnectionId();
  state_ = State::kEntering;
  transport_.OnAuthenticated();

  entrance_ = std::make_unique<Entrance>();
  entrance_->cursor = std::move(cursor);
  entrance_->reply_to = reply_to;
  if (rooms.empty()) return Enter({});
  // The reference goes with the task: the session must not end on the thread that authorised.
  host_.commands().AuthorizeRooms(
      user_, connection_id_, std::move(rooms),
      [self = Share(), &host = host_](std::vector<AllowedRoom> allowed) mutable {
        host.Post([self = std::move(self), allowed = std::move(allowed)] { self->Enter(allowed); });
      });
}

void Session::Enter(const std::vector<AllowedRoom>& rooms) {
  if (state_ != State::kEntering) return;
  const absl::StatusOr<uint64_t> head =
      host_.Admit(*this, {connection_id_, user_, host_.index(), profile_}, rooms);
  if (!head.ok()) return Close(CloseCode::kTooManyConnections, "too many connections");
  rooms_.clear();
  for (const AllowedRoom& allowed : rooms) rooms_.push_back(allowed.room);

  const int64_t now = host_.NowSteady();
  state_ = State::kReplaying;
  next_ping_ = now + host_.options().ping_interval;
  last_sent_ = now;
  entrance_->head = *head;

  Welcome welcome;
  welcome.recovered = Recover(*head);
  welcome.connection_id = connection_id_;
  welcome.user = user_;
  welcome.cursor = At(entrance_->position);
  if (welcome.recovered == Welcome::Recovered::kYes) welcome.missed = CountMissed();
  welcome.rooms = rooms_;
  welcome.ping_interval = host_.options().ping_interval;
  welcome.token_expires_at = expires_at_;
  Send(dialect_->Hello(welcome));
  if (entrance_->reply_to) {
    Reply(entrance_->reply_to, absl::StrCat(R"({"tokenExpiresAt":)", expires_at_, "}"));
  }
  Arm(now);
  Replay();
}

// Decides where the session starts, and whether that loses anything of its own audiences.
Welcome::Recovered Session::Recover(uint64_t head) {
  Entrance& entrance = *entrance_;
  entrance.position = head;
  Welcome::Recovered verdict = Welcome::Recovered::kNoCursor;
  uint64_t from = head;
  if (entrance.cursor) {
    const std::optional<Cursor> cursor = Cursor::Parse(*entrance.cursor);
    if (!cursor || cursor->epoch != host_.epoch() || cursor->sequence > head) {
      verdict = Welcome::Recovered::kGapEpoch;
    } else {
      verdict = Welcome::Recovered::kYes;
      from = cursor->sequence;
    }
  }
  const auto add = [&](AudienceKey key) { entrance.audiences.push_back({std::move(key), from}); };
  entrance.audiences.reserve(2 + 2 * rooms_.size());
  add(AudienceKey::Everyone());
  add(AudienceKey::User(user_));
  for (const std::string& room : rooms_) {
    add(AudienceKey::Room(room));
    add(AudienceKey::UserInRoom(user_, room));
  }
  ShardCounters& counters = host_.counters();
  if (verdict == Welcome::Recovered::kYes && !host_.log().Covers(entrance.audiences)) {
    verdict = Welcome::Recovered::kGapExpired;
    for (AudienceFrom& audience : entrance.audiences) audience.after = head;
    counters.gaps_expired.Add();
  } else if (verdict == Welcome::Recovered::kYes) {
    entrance.position = from;
    counters.resumed.Add();
  } else if (verdict == Welcome::Recovered::kGapEpoch) {
    counters.gaps_epoch.Add();
  }
  return verdict;
}

void Session::Replay() {
  const size_t low_water = host_.options().high_water / kLowWaterDivisor;
  while (state_ == State::kReplaying && outbox_.bytes() <= low_water) {
    Entrance& entrance = *entrance_;
    if (entrance.position < entrance.head) {
      if (!ReplayPage(entrance.head)) return;
      continue;
    }
    if (!entrance.live_said) {
      entrance.live_said = true;
      Send(dialect_->Live(At(entrance.position)));
    }
    // What was numbered meanwhile passed this session by; it is in the log.
    const uint64_t settled = host_.settled();
    if (entrance.position < settled) {
      if (!ReplayPage(settled)) return;
      continue;
    }
    last_ = entrance.position;
    entrance_.reset();
    state_ = State::kLive;
    transport_.ResumeReading();
  }
}

LogPage Session::ReadPage(uint64_t after, uint64_t upto) {
  for (AudienceFrom& audience : entrance_->audiences) {
    audience.after = std::max(audience.after, after);
  }
  LogPage page = host_.log().Read(entrance_->audiences, upto, kReplayPage);
  std::erase_if(page.entries, [this](const EntryPtr& entry) { return IsExcepted(*entry); });
  return page;
}

// How many events the replay up to the head will bring. Exact, because a client may wait for that
// many; the first page, mostly the only one, is kept for the replay.
size_t Session::CountMissed() {
  Entrance& entrance = *entrance_;
  if (entrance.position == entrance.head) return 0;
  entrance.first_page = ReadPage(entrance.position, entrance.head);
  size_t missed = entrance.first_page->entries.size();
  if (entrance.first_page->through == entrance.head) return missed;

  const std::vector<AudienceFrom> audiences = entrance.audiences;
  for (uint64_t through = entrance.first_page->through; through < entrance.head;) {
    const LogPage page = ReadPage(through, entrance.head);
    if (page.gap) break;  // the replay will meet it, too
    missed += page.entries.size();
    through = page.through;
  }
  entrance.audiences = audiences;
  return missed;
}

// False: the session is closing.
bool Session::ReplayPage(uint64_t upto) {
  Entrance& entrance = *entrance_;
  const LogPage page = entrance.first_page ? *std::exchange(entrance.first_page, std::nullopt)
                                           : ReadPage(entrance.position, upto);
  if (page.gap) {
    // Cut while we replayed: the next resume is told so.
    CloseSlow();
    return false;
  }
  for (const EntryPtr& entry : page.entries) {
    Send(host_.ReplayFrame(*dialect_, entry));
    ++delivered_;
    host_.counters().frames.Add();
    host_.counters().replayed.Add();
    entrance.position = entry->sequence;
    // A page of large events may be many times what is to wait: the rest is read again.
    if (outbox_.bytes() > host_.options().high_water / kLowWaterDivisor) return true;
  }
  entrance.position = page.through;
  return true;
}

bool Session::IsExcepted(const Entry& entry) const {
  return entry.except_user == user_ ||
         (!entry.except_connection.empty() && entry.except_connection == connection_id_);
}

void Session::Deliver(const EntryPtr& entry, const FramePtr& frame) {
  if (state_ != State::kLive) return;
  if (entry->sequence != 0) {
    if (entry->sequence <= last_) return;
    last_ = entry->sequence;
  }
  if (IsExcepted(*entry)) return;

  const size_t high_water = host_.options().high_water;
  switch (entry->type->delivery) {
    case DeliveryClass::kDurable:
      break;
    case DeliveryClass::kLatest:
      outbox_.RemoveReplaced(*entry);
      break;
    case DeliveryClass::kEphemeral:
      // Half of the room is kept for what must arrive.
      if (outbox_.bytes() > high_water / 2) {
        host_.counters().ephemeral_dropped.Add();
        return;
      }
      break;
  }
  Send(frame);
  ++delivered_;
  host_.counters().frames.Add();
  if (outbox_.bytes() > high_water && !full_) {
    full_ = true;
    host_.MarkFull(*this);
  }
}

void Session::Relieve() {
  full_ = false;
  const size_t high_water = host_.options().high_water;
  transport_.Flush();
  if (state_ == State::kClosing || outbox_.bytes() <= high_water) return;
  host_.counters().ephemeral_dropped.Add(static_cast<int64_t>(outbox_.DropEphemeral()));
  if (outbox_.bytes() > high_water) CloseSlow();
}

void Session::Send(FramePtr frame) {
  // Where something waits already, the transport is dirty or waits for its socket.
  if (outbox_.empty()) transport_.MarkDirty();
  outbox_.Push(std::move(frame));
  last_sent_ = host_.NowSteady();
}

void Session::OnWritten() {
  if (state_ == State::kReplaying) OnAlive();
}

void Session::OnDrained() {
  if (state_ == State::kReplaying) Replay();
}

void Session::OnText(std::string_view text) {
  OnAlive();
  if (!reading()) return;
  host_.counters().commands.Add();
  ClientMessage message = dialect_->Decode(text);
  if (message.kind == ClientMessage::Kind::kMalformed) {
    return Close(CloseCode::kProtocolError, "protocol error: " + std::string(message.fault));
  }
  const int64_t wait = bucket_.Take(host_.options().client_messages, last_heard_);
  if (wait > 0) {
    host_.counters().rate_limited.Add();
    return Reply(message.id, CommandError{"RATE_LIMITED", "too many messages", wait, {}});
  }
  if (message.event == "auth") return OnAuth(message);
  if (state_ == State::kWaiting) {
    return Reply(message.id,
                 CommandError{"UNAUTHENTICATED", "authenticate first: event \"auth\"", 0, {}});
  }
  if (message.event == "ping") return Reply(message.id, "{}");
  std::shared_ptr<Session> self = Share();
  host_.commands().Handle(
      self, message.event, message.data,
      [self, id = message.id](const CommandResult& result) { self->Reply(id, result); });
}

void Session::OnBinary() {
  OnAlive();
  if (state_ != State::kClosing) Close(CloseCode::kProtocolError, "protocol error: binary frame");
}

void Session::OnAuth(const ClientMessage& message) {
  const boost::json::object* data = message.data.if_object();
  const boost::json::value* token = data != nullptr ? data->if_contains("token") : nullptr;
  if (token == nullptr || !token->is_string()) {
    return Reply(message.id, InvalidPayload("token: wants a string"));
  }
  if (state_ != State::kWaiting) return Renew(message, token->get_string());

  std::optional<std::string> cursor = entrance_->cursor;
  if (const boost::json::value* given = data->if_contains("cursor"); given && !given->is_null()) {
    if (!given->is_string()) return Reply(message.id, InvalidPayload("cursor: wants a string"));
    cursor = std::string(given->get_string());
  }
  std::vector<std::string> rooms = rooms_;
  if (const boost::json::value* given = data->if_contains("rooms"); given && !given->is_null()) {
    rooms.clear();
    const boost::json::array* names = given->if_array();
    if (names == nullptr) return Reply(message.id, InvalidPayload("rooms: wants an array"));
    for (const boost::json::value& name : *names) {
      if (name.is_string()) {
        rooms.emplace_back(name.get_string());
      } else if (name.is_int64()) {
        rooms.push_back(absl::StrCat(name.get_int64()));
      } else {
        return Reply(message.id, InvalidPayload(absl::StrCat("rooms[", rooms.size(),
                                                             "]: wants a string or an integer")));
      }
    }
  }
  rooms_.clear();
  Authenticate(token->get_string(), std::move(cursor), std::move(rooms), message.id);
}

void Session::Renew(const ClientMessage& message, std::string_view token) {
  auto verdict = host_.tokens().Verify(token, host_.NowWall());
  const auto* identity = std::get_if<Identity>(&verdict);
  if (identity == nullptr || identity->user != user_) {
    return Reply(message.id,
                 CommandError{"UNAUTHENTICATED",
                              identity == nullptr ? "invalid credentials" : "another user's token",
                              0,
                              {}});
  }
  expires_at_ = identity->expires_at;
  Arm(host_.NowSteady());
  Reply(message.id, absl::StrCat(R"({"tokenExpiresAt":)", expires_at_, "}"));
}

void Session::Reply(std::optional<int64_t> id, const CommandResult& result) {
  if (!id || state_ == State::kClosing) return;
  Send(dialect_->Reply(*id, result));
  // A client that asks and never reads.
  if (outbox_.bytes() > host_.options().high_water) Relieve();
}

bool Session::InRoom(std::string_view room) const {
  return std::find(rooms_.begin(), rooms_.end(), room) != rooms_.end();
}

void Session::EnterRoom(const std::string& room) {
  if (!admitted() || InRoom(room)) return;
  rooms_.push_back(room);
  host_.EnterRoom(*this, room);
}

void Session::ExitRoom(std::string_view room) {
  const auto it = std::find(rooms_.begin(), rooms_.end(), room);
  if (it == rooms_.end()) return;
  host_.ExitRoom(*this, room);
  rooms_.erase(it);
}

void Session::Close(CloseCode code, std::string_view reason) {
  if (state_ == State::kClosing) return;
  cause_ = CauseOf(code);
  OnClosing();
  transport_.Close(static_cast<uint16_t>(code), reason);
}

void Session::CloseSlow() {
  if (state_ == State::kClosing) return;
  outbox_.DropUnbegun();
  Close(CloseCode::kSlowConsumer, "slow consumer");
}

void Session::OnClosing() {
  if (state_ == State::kClosing) return;
  OnLost();
  host_.Schedule(*this, host_.NowSteady() + host_.options().close_timeout);
}

void Session::OnLost() {
  if (admitted()) host_.Dismiss(*this);
  state_ = State::kClosing;
  rooms_.clear();
  entrance_.reset();
}

void Session::OnTimer(int64_t now) {
  const SessionOptions& options = host_.options();
  switch (state_) {
    case State::kWaiting:
      return Close(CloseCode::kUnauthenticated, "authentication required");
    case State::kClosing:
      return transport_.Abort();
    case State::kEntering:
    case State::kReplaying:
    case State::kLive:
      break;
  }
  if (host_.NowWall() >= expires_at_) return Close(CloseCode::kTokenExpired, "token expired");
  if (admitted()) {
    outbox_.Rest();
    if (now - last_heard_ >= options.ping_timeout) {
      return Close(CloseCode::kNoPong, "no answer to ping");
    }
    if (state_ == State::kLive && now - last_sent_ >= options.ping_interval) {
      Send(dialect_->Ping(At(std::max(last_, host_.settled()))));
    }
    if (now >= next_ping_) {
      next_ping_ = now + options.ping_interval;
      outbox_.Push(Frame::Ping());
      transport_.MarkDirty();
    }
  }
  Arm(now);
}

// Schedules the next look at the clock: at the nearest of the session's deadlines.
void Session::Arm(int64_t now) {
  const SessionOptions& options = host_.options();
  int64_t next = now + std::min(expires_at_ - host_.NowWall(), kExpiryCheckMillis);
  if (admitted()) {
    next = std::min(next, last_heard_ + options.ping_timeout);
    next = std::min(next, next_ping_);
    if (state_ == State::kLive) next = std::min(next, last_sent_ + options.ping_interval);
  }
  host_.Schedule(*this, next);
}

}  // namespace msab
