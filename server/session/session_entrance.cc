#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/ids.h"
#include "server/base/logging.h"
#include "server/session/session.h"

namespace msab {
namespace {

// Entries a replay reads at a time: bounds how long one session holds the shard, and how much it
// holds of the log.
constexpr size_t kReplayPage = 128;

// A replay rests above this part of the high-water mark and goes on when all is written.
constexpr size_t kLowWaterDivisor = 4;

}  // namespace

// A session's way in: from the token to the first live event.

void Session::Authenticate(Credentials credentials, std::optional<int64_t> reply_to) {
  auto verdict = host_.tokens().Verify(credentials.token, host_.NowWall());
  if (const auto* refusal = std::get_if<TokenRefusal>(&verdict)) {
    switch (refusal->error) {
      case TokenError::kExpired:
        return Refuse(ConnectRefusal::kExpiredToken, CloseCode::kTokenExpired, "token expired");
      case TokenError::kMissing:
        return Refuse(ConnectRefusal::kNoToken, CloseCode::kUnauthenticated,
                      "authentication required");
      case TokenError::kInvalid:
        return Refuse(ConnectRefusal::kInvalidToken, CloseCode::kUnauthenticated,
                      "invalid credentials");
    }
  }
  auto& identity = std::get<Identity>(verdict);
  user_ = identity.user;
  profile_ = std::make_shared<const std::string>(std::move(identity.profile));
  expires_at_ = identity.expires_at;
  state_ = State::kEntering;
  transport_.OnAuthenticated();

  entrance_ = std::make_unique<Entrance>();
  entrance_->cursor = std::move(credentials.cursor);
  entrance_->offset = std::move(credentials.offset);
  entrance_->reply_to = reply_to;
  Arm(host_.NowSteady());
  if (!dialect_->conduct().recovers || credentials.resume_id.empty()) {
    return EnterAnew(std::move(credentials.rooms));
  }
  host_.resumes().Claim(
      credentials.resume_id, user_,
      [self = Share(), &host = host_](std::optional<ResumeStore::Claimed> claimed) mutable {
        host.Post([self = std::move(self), claimed = std::move(claimed)]() mutable {
          self->OnClaimed(std::move(claimed));
        });
      });
}

void Session::Refuse(ConnectRefusal why, CloseCode code, std::string_view reason) {
  if (FramePtr frame = dialect_->Refuse(why)) Send(std::move(frame));
  Close(code, reason);
}

void Session::OnClaimed(std::optional<ResumeStore::Claimed> claimed) {
  if (!claimed) {
    if (state_ == State::kEntering) EnterAnew({});
    return;
  }
  auto held = std::make_unique<Recovery>(host_.resumes(), claimed->record.id, claimed->term);
  if (state_ != State::kEntering) return;  // lost meanwhile: the hold is let go
  recovery_ = std::move(held);
  entrance_->resume_from = ResumePoint(claimed->record);
  entrance_->record = std::move(claimed->record);
  const ResumeRecord& record = *entrance_->record;
  std::vector<std::string> rooms;
  rooms.reserve(record.rooms.size());
  for (const ResumeRecord::Room& room : record.rooms) rooms.push_back(room.name);
  if (!IsWhole(rooms)) {
    host_.counters().gaps_expired.Add();
    return BeginAnew();
  }
  connection_id_ = record.connection_id;
  AuthorizeAndEnter(std::move(rooms));
}

// Whether nothing is lost of what the session's record says that it has yet to get.
bool Session::IsWhole(const std::vector<std::string>& rooms) {
  AddAudiences(rooms, entrance_->resume_from);
  return host_.log().Covers(entrance_->audiences);
}

// The session that its client had can't be gone on with: the client is to begin anew, and is no
// longer where it was.
void Session::BeginAnew() {
  host_.Supersede(entrance_->record->connection_id, user_, recovery_->term(), [](bool) {});
  recovery_->Forget();
  recovery_.reset();
  entrance_->record.reset();
  EnterAnew({});
}

// Where a session of this record goes on: the greatest number up to which its client has seen
// everything, by whatever it is known.
uint64_t Session::ResumePoint(const ResumeRecord& record) const {
  uint64_t point = std::max(record.start, record.confirmed);
  const uint64_t head = host_.log().Head();
  const auto weigh = [&](const std::optional<std::string>& given) {
    if (!given) return;
    // Malformed, foreign or of the future: the client doesn't know, or has it from another session.
    const std::optional<Cursor> cursor = Cursor::Parse(*given);
    if (!cursor || cursor->epoch != host_.epoch() || cursor->sequence > head) return;
    point = std::max(point, cursor->sequence);
  };
  weigh(entrance_->offset);
  weigh(entrance_->cursor);
  return point;
}

// What this session may get, each audience from where its own part begins.
void Session::AddAudiences(const std::vector<std::string>& rooms, uint64_t from) {
  std::vector<AudienceFrom>& audiences = entrance_->audiences;
  audiences.clear();
  audiences.reserve(2 + 2 * rooms.size());
  audiences.push_back({AudienceKey::Everyone(), from});
  audiences.push_back({AudienceKey::User(user_), from});
  for (const std::string& room : rooms) {
    uint64_t since = from;
    if (entrance_->record) {
      for (const ResumeRecord::Room& in : entrance_->record->rooms) {
        if (in.name == room) since = std::max(since, in.since);
      }
    }
    audiences.push_back({AudienceKey::Room(room), since});
    audiences.push_back({AudienceKey::UserInRoom(user_, room), since});
  }
}

void Session::EnterAnew(std::vector<std::string> rooms) {
  connection_id_ = NewConnectionId();
  AuthorizeAndEnter(std::move(rooms));
}

void Session::AuthorizeAndEnter(std::vector<std::string> rooms) {
  if (rooms.empty()) return Enter({});
  // The reference goes with the task: the session must not end on the thread that authorised.
  host_.commands().AuthorizeRooms(
      user_, connection_id_, std::move(rooms),
      [self = Share(), &host = host_](AuthorizedRooms verdict) mutable {
        host.Post([self = std::move(self), verdict = std::move(verdict)]() mutable {
          self->OnAuthorized(std::move(verdict));
        });
      });
}

void Session::OnAuthorized(AuthorizedRooms rooms) {
  if (state_ != State::kEntering) return;
  // A client that is told that it recovered counts on its rooms, but for those it may no longer be
  // in.
  if (rooms.undecided && entrance_->record) return BeginAnew();
  Enter(std::move(rooms.allowed));
}

void Session::Enter(std::vector<AllowedRoom> rooms) {
  if (state_ != State::kEntering) return;
  std::vector<std::string> names;
  names.reserve(rooms.size());
  for (const AllowedRoom& allowed : rooms) names.push_back(allowed.room);
  // It may have waited long, for its rooms or for its predecessor's end.
  if (entrance_->record && !IsWhole(names)) {
    host_.counters().gaps_expired.Add();
    return BeginAnew();
  }
  const absl::StatusOr<uint64_t> head =
      host_.Admit(*this, {connection_id_, user_, host_.index(), profile_}, rooms);
  if (!head.ok()) return OnNotAdmitted(head.status(), std::move(rooms));
  rooms_ = std::move(names);

  const int64_t now = host_.NowSteady();
  state_ = State::kReplaying;
  if (!dialect_->conduct().heartbeat_by_message) next_ping_ = now + host_.options().ping_interval;
  last_sent_ = now;
  entrance_->head = *head;

  Welcome welcome;
  welcome.recovered = Recover(*head);
  KeepRecord();
  welcome.connection_id = connection_id_;
  if (recovery_ != nullptr) welcome.resume_id = recovery_->id();
  welcome.user = user_;
  welcome.cursor = At(entrance_->position);
  if (welcome.recovered == Welcome::Recovered::kYes && dialect_->conduct().tells_missed) {
    welcome.missed = CountMissed();
  }
  welcome.rooms = rooms_;
  welcome.ping_interval = host_.options().ping_interval;
  welcome.token_expires_at = expires_at_;
  SendAll(dialect_->Hello(welcome));
  if (entrance_->reply_to) {
    Reply(entrance_->reply_to, absl::StrCat(R"({"tokenExpiresAt":)", expires_at_, "}"));
  }
  Arm(now);
  Replay();
}

void Session::OnNotAdmitted(const absl::Status& why, std::vector<AllowedRoom> rooms) {
  if (absl::IsResourceExhausted(why)) {
    return Close(CloseCode::kTooManyConnections, "too many connections");
  }
  if (!absl::IsAlreadyExists(why) || recovery_ == nullptr) {
    LogLine(LogLevel::err, "session not registered")
        .With("user", user_)
        .With("error", std::string(why.message()));
    return Close(CloseCode::kInternal, "internal error");
  }
  // The connection that this one goes on from is not known to be dead. It must be gone before its
  // id is registered again. A shard holds no session of another, so no reference goes there.
  host_.Supersede(
      connection_id_, user_, recovery_->term(),
      [weak = std::weak_ptr<Session>(Share()), rooms = std::move(rooms)](bool ended) mutable {
        if (const auto self = weak.lock()) self->EnterAfter(ended, std::move(rooms));
      });
}

void Session::EnterAfter(bool predecessor_ended, std::vector<AllowedRoom> rooms) {
  if (state_ != State::kEntering) return;
  if (predecessor_ended) return Enter(std::move(rooms));
  // The client came back once more in the meantime, and that connection has the session.
  CloseSilently();
}

// Makes the session's record, or brings the one that it goes on with up to date.
void Session::KeepRecord() {
  if (!dialect_->conduct().recovers) return;
  if (recovery_ == nullptr) {
    ResumeRecord record;
    record.id = NewResumeId();
    record.connection_id = connection_id_;
    record.user = user_;
    record.start = entrance_->position;
    recovery_ = std::make_unique<Recovery>(host_.resumes(), std::move(record));
    return;
  }
  recovery_->Confirm(entrance_->position);
  for (const ResumeRecord::Room& room : entrance_->record->rooms) {
    if (!InRoom(room.name)) recovery_->ExitRoom(room.name);  // refused this time
  }
}

// Decides where the session starts, and whether that loses anything of its own audiences.
Welcome::Recovered Session::Recover(uint64_t head) {
  Entrance& entrance = *entrance_;
  ShardCounters& counters = host_.counters();
  entrance.position = head;
  if (entrance.record) {
    // Found to be whole just now. What is cut from here on is met by the replay, before anything of
    // it is sent.
    entrance.position = entrance.resume_from;
    AddAudiences(rooms_, entrance.resume_from);
    counters.resumed.Add();
    return Welcome::Recovered::kYes;
  }
  if (!entrance.cursor) {
    AddAudiences(rooms_, head);
    return Welcome::Recovered::kNoCursor;
  }
  const std::optional<Cursor> cursor = Cursor::Parse(*entrance.cursor);
  if (!cursor || cursor->epoch != host_.epoch() || cursor->sequence > head) {
    AddAudiences(rooms_, head);
    counters.gaps_epoch.Add();
    return Welcome::Recovered::kGapEpoch;
  }
  AddAudiences(rooms_, cursor->sequence);
  if (!host_.log().Covers(entrance.audiences)) {
    AddAudiences(rooms_, head);
    counters.gaps_expired.Add();
    return Welcome::Recovered::kGapExpired;
  }
  entrance.position = cursor->sequence;
  counters.resumed.Add();
  return Welcome::Recovered::kYes;
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
      if (FramePtr live = dialect_->Live(At(entrance.position))) Send(std::move(live));
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
// many. The first page, mostly the only one, is kept for the replay; what is behind it the log
// counts, because a client may well have missed all that there is. (None of it excepts this
// connection, which was not there yet.)
size_t Session::CountMissed() {
  Entrance& entrance = *entrance_;
  if (entrance.position >= entrance.head) return 0;
  const LogPage& page = entrance.first_page.emplace(ReadPage(entrance.position, entrance.head));
  if (page.gap) return 0;  // the replay will meet it, too
  for (const EntryPtr& entry : page.entries) {
    if (entry->type->delivery == DeliveryClass::kLatest) entrance.counted_states.push_back(entry);
  }
  if (page.through == entrance.head) return page.entries.size();

  std::vector<AudienceFrom> rest = entrance.audiences;
  for (AudienceFrom& audience : rest) audience.after = std::max(audience.after, page.through);
  LogCount counted = host_.log().Count(rest, entrance.head);
  std::move(counted.states.begin(), counted.states.end(),
            std::back_inserter(entrance.counted_states));
  return page.entries.size() + counted.entries;
}

// A state that was replaced since it was counted is shown all the same, at its own place: it was
// the last one at the welcome, and the client counts.
void Session::PutBackStates(LogPage& page) const {
  const auto in_order = [](const EntryPtr& a, const EntryPtr& b) {
    return a->sequence < b->sequence;
  };
  const auto after = [](uint64_t number, const EntryPtr& entry) {
    return number < entry->sequence;
  };
  const std::vector<EntryPtr>& counted = entrance_->counted_states;
  const auto first = std::upper_bound(counted.begin(), counted.end(), entrance_->position, after);
  const auto last = std::upper_bound(first, counted.end(), page.through, after);
  if (first == last) return;
  std::vector<EntryPtr> entries;
  entries.reserve(page.entries.size());
  std::set_union(page.entries.begin(), page.entries.end(), first, last, std::back_inserter(entries),
                 in_order);
  page.entries = std::move(entries);
}

// False: the session is closing.
bool Session::ReplayPage(uint64_t upto) {
  Entrance& entrance = *entrance_;
  LogPage page = entrance.first_page ? *std::exchange(entrance.first_page, std::nullopt)
                                     : ReadPage(entrance.position, upto);
  if (page.gap) {
    // Cut while we replayed: the next resume is told so.
    CloseSlow();
    return false;
  }
  if (!entrance.counted_states.empty()) PutBackStates(page);
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

}  // namespace msab
