#include "server/session/session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/ids.h"
#include "server/session/auth_data.h"

namespace msab {
namespace {

// An application that jumps its clock must not keep a token alive: looked at this often at least.
constexpr int64_t kExpiryCheckMillis = 60'000;

}  // namespace

Session::Session(SessionHost& host, Transport& transport)
    : host_(host), transport_(transport), outbox_(transport.outbox()) {}

Session::~Session() = default;

std::shared_ptr<Session> Session::Share() { return {transport_.Share(), this}; }

void Session::Start() {
  last_heard_ = host_.NowSteady();
  connect_by_ = last_heard_ + host_.options().auth_timeout;
  host_.Schedule(*this, connect_by_);
}

void Session::Open(const Dialect& dialect, Opening opening) {
  dialect_ = &dialect;
  const Conduct& conduct = dialect.conduct();
  const SessionOptions& options = host_.options();
  if (FramePtr greeting =
          dialect.Open({NewConnectionId(), options.ping_interval, options.max_message_bytes})) {
    Send(std::move(greeting));
  }
  if (conduct.connect_within > 0) {
    entrance_ = std::make_unique<Entrance>();
    entrance_->origin_allowed = opening.origin_allowed;
    const int64_t now = host_.NowSteady();
    connect_by_ = now + conduct.connect_within;
    next_ping_ = now + options.ping_interval;
    return Arm(now);
  }
  if (!opening.origin_allowed) {
    return Refuse(ConnectRefusal::kOrigin, CloseCode::kOriginNotAllowed, "origin not allowed");
  }
  if (opening.credentials.token.empty()) {
    // The first frame brings it, and may bring cursor and rooms; those of the URL count otherwise.
    entrance_ = std::make_unique<Entrance>();
    entrance_->cursor = std::move(opening.credentials.cursor);
    rooms_ = std::move(opening.credentials.rooms);
    return;
  }
  Authenticate(std::move(opening.credentials), std::nullopt);
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

void Session::SendAll(const Dialect::Frames& frames) {
  for (const FramePtr& frame : frames) Send(frame);
}

void Session::Answer(FramePtr frame) {
  Send(std::move(frame));
  // A client that asks and never reads.
  if (outbox_.bytes() > host_.options().high_water) Relieve();
}

void Session::OnWritten() {
  if (!reading() && !closing()) OnAlive();
}

void Session::OnDrained() {
  if (state_ == State::kReplaying) Replay();
  // The upgrade's answer, the welcome and `live` leave together. Who gets no events needs that much
  // room never again.
  if (state_ == State::kLive && delivered_ == 0) outbox_.Rest();
}

void Session::OnText(std::string_view text) {
  OnAlive();
  if (!reading()) return;
  using Kind = ClientMessage::Kind;
  ClientMessage message = dialect_->Decode(text);
  if (message.kind == Kind::kPong) {
    const uint64_t read = heartbeats_.OnAnswer();
    if (read != 0 && recovery_ != nullptr) recovery_->Confirm(read);
    return;
  }
  if (message.kind == Kind::kHangUp) return Close(CloseCode::kNormal, "");
  host_.counters().commands.Add();
  if (attachments_ != nullptr && message.kind != Kind::kMalformed) {
    return Close(CloseCode::kProtocolError, "protocol error: text where attachments are due");
  }
  switch (message.kind) {
    case Kind::kMalformed:
      if (message.answer && state_ == State::kWaiting && !parted_) Send(std::move(message.answer));
      return Close(CloseCode::kProtocolError, "protocol error: " + std::string(message.fault));
    case Kind::kConnect:
      return OnConnect(std::move(message));
    case Kind::kGoodbye:
      return OnGoodbye();
    case Kind::kAnswered:
      if (bucket_.Take(host_.options().client_messages, last_heard_) > 0) {
        return host_.counters().rate_limited.Add();
      }
      return Answer(std::move(message.answer));
    case Kind::kCommand:
    case Kind::kAttached:
      return OnCommand(message);
    case Kind::kIgnored:
    case Kind::kPong:
    case Kind::kHangUp:
      return;
  }
}

void Session::OnConnect(ClientMessage message) {
  if (state_ != State::kWaiting) return;  // it is in already
  // The next session begins with a connection of its own.
  if (parted_) return Close(CloseCode::kNormal, "");
  if (!entrance_->origin_allowed) {
    return Refuse(ConnectRefusal::kOrigin, CloseCode::kOriginNotAllowed, "origin not allowed");
  }
  Authenticate(std::move(message.credentials), std::nullopt);
}

// The client's library ends the connection next, unless it uses it for something else.
void Session::OnGoodbye() {
  if (!admitted()) return;
  host_.Dismiss(*this, /*leaving=*/true);
  if (recovery_ != nullptr) recovery_->Forget();
  recovery_.reset();
  rooms_.clear();
  parted_ = true;
  state_ = State::kWaiting;
  const int64_t now = host_.NowSteady();
  connect_by_ = now + dialect_->conduct().connect_within;
  Arm(now);
}

void Session::OnCommand(const ClientMessage& message) {
  if (state_ == State::kWaiting && dialect_->conduct().connect_within > 0) {
    return Close(CloseCode::kProtocolError, "protocol error: a command before CONNECT");
  }
  const int64_t wait = bucket_.Take(host_.options().client_messages, last_heard_);
  if (message.kind == ClientMessage::Kind::kAttached) {
    attachments_ = std::make_unique<Attachments>(Attachments{message.attachments, message.id});
    return;
  }
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
  if (!reading()) return;
  if (attachments_ == nullptr) {
    return Close(CloseCode::kProtocolError, "protocol error: binary frame");
  }
  if (--attachments_->left > 0) return;
  const std::optional<int64_t> id = attachments_->id;
  attachments_.reset();
  Reply(id, CommandError{"INVALID_PAYLOAD", "no command takes binary data", 0, {}});
}

void Session::OnAuth(const ClientMessage& message) {
  AuthData data;
  if (const std::vector<Violation> unfit = data.Read(message.data); !unfit.empty()) {
    return Reply(message.id, InvalidPayload(unfit));
  }
  if (state_ != State::kWaiting) return Renew(message.id, data.token);

  Credentials credentials;
  credentials.token = std::move(data.token);
  credentials.cursor = data.cursor ? std::move(data.cursor) : std::move(entrance_->cursor);
  credentials.rooms = data.rooms ? *std::move(data.rooms) : std::move(rooms_);
  rooms_.clear();
  Authenticate(std::move(credentials), message.id);
}

void Session::Renew(std::optional<int64_t> id, std::string_view token) {
  auto verdict = host_.tokens().Verify(token, host_.NowWall());
  const auto* identity = std::get_if<Identity>(&verdict);
  if (identity == nullptr || identity->user != user_) {
    const char* const why = identity == nullptr ? "invalid credentials" : "another user's token";
    return Reply(id, CommandError{"UNAUTHENTICATED", why, 0, {}});
  }
  expires_at_ = identity->expires_at;
  Arm(host_.NowSteady());
  Reply(id, absl::StrCat(R"({"tokenExpiresAt":)", expires_at_, "}"));
}

void Session::Reply(std::optional<int64_t> id, const CommandResult& result) {
  if (!id || state_ == State::kClosing || parted_) return;
  Answer(dialect_->Reply(*id, result));
}

bool Session::InRoom(std::string_view room) const {
  return std::find(rooms_.begin(), rooms_.end(), room) != rooms_.end();
}

void Session::EnterRoom(const std::string& room, uint64_t since) {
  if (!admitted() || InRoom(room)) return;
  rooms_.push_back(room);
  host_.EnterRoom(*this, room);
  if (recovery_ != nullptr) recovery_->EnterRoom(room, since);
}

void Session::ExitRoom(std::string_view room) {
  const auto it = std::find(rooms_.begin(), rooms_.end(), room);
  if (it == rooms_.end()) return;
  host_.ExitRoom(*this, room);
  if (recovery_ != nullptr) recovery_->ExitRoom(room);
  rooms_.erase(it);
}

void Session::Close(CloseCode code, std::string_view reason) {
  if (state_ == State::kClosing) return;
  cause_ = CauseOf(code);
  if (admitted()) SendAll(dialect_->Farewell(static_cast<uint16_t>(code), reason));
  if (recovery_ != nullptr && (code == CloseCode::kRemoved || code == CloseCode::kRevoked)) {
    recovery_->Forget();
  }
  OnClosing();
  transport_.Close(static_cast<uint16_t>(code), reason);
}

bool Session::Supersede(ResumeStore::Term term) {
  if (recovery_ != nullptr && recovery_->term() >= term) return false;
  CloseSilently();
  return true;
}

void Session::CloseSilently() {
  if (state_ == State::kClosing) return;
  Close(CloseCode::kNormal, "");
  cause_ = CloseCause::kSuperseded;
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
  if (admitted()) host_.Dismiss(*this, /*leaving=*/false);
  state_ = State::kClosing;
  rooms_.clear();
  entrance_.reset();
  recovery_.reset();
}

void Session::OnTimer(int64_t now) {
  switch (state_) {
    case State::kClosing:
      return transport_.Abort();
    case State::kWaiting:
      if (now < connect_by_) break;
      return Close(CloseCode::kUnauthenticated, "authentication required");
    case State::kEntering:
    case State::kReplaying:
    case State::kLive:
      if (host_.NowWall() < expires_at_) break;
      return Close(CloseCode::kTokenExpired, "token expired");
  }
  if (now >= PatienceEnd()) return Close(CloseCode::kNoPong, "no answer to ping");
  if (admitted()) outbox_.Rest();
  if (beats()) Beat(now);
  Arm(now);
}

void Session::Beat(int64_t now) {
  const SessionOptions& options = host_.options();
  if (state_ == State::kLive && now - last_sent_ >= options.ping_interval) {
    if (FramePtr ping = dialect_->Ping(At(Sent()))) Send(std::move(ping));
  }
  if (now < next_ping_) return;
  next_ping_ = now + options.ping_interval;
  outbox_.Push(dialect_->Heartbeat());
  transport_.MarkDirty();
  if (unanswered_since_ == 0) unanswered_since_ = now;
  if (dialect_->conduct().heartbeat_by_message) heartbeats_.OnSent(Sent());
}

int64_t Session::PatienceEnd() const {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  const int64_t patience = host_.options().ping_timeout;
  if (!beats()) return kNever;
  if (!dialect_->conduct().heartbeat_by_message) return last_heard_ + patience;
  return unanswered_since_ == 0 ? kNever : unanswered_since_ + patience;
}

uint64_t Session::Sent() const {
  switch (state_) {
    case State::kWaiting:
    case State::kEntering:
      return 0;
    case State::kReplaying:
      return entrance_->position;
    case State::kLive:
    case State::kClosing:
      break;
  }
  return std::max(last_, host_.settled());
}

// Schedules the next look at the clock: at the nearest of the session's deadlines.
void Session::Arm(int64_t now) {
  const SessionOptions& options = host_.options();
  int64_t next = state_ == State::kWaiting
                     ? connect_by_
                     : now + std::min(expires_at_ - host_.NowWall(), kExpiryCheckMillis);
  if (beats()) {
    next = std::min(next, PatienceEnd());
    next = std::min(next, next_ping_);
    if (state_ == State::kLive && !dialect_->conduct().heartbeat_by_message) {
      next = std::min(next, last_sent_ + options.ping_interval);
    }
  }
  host_.Schedule(*this, next);
}

}  // namespace msab
