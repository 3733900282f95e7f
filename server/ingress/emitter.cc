#include "server/ingress/emitter.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "msab/v1/event_service.pb.h"

namespace msab {
namespace {

// When to come again: an inbox that is full is emptied in milliseconds, a node that drains is
// replaced in seconds.
constexpr int64_t kRetryExhaustedMs = 250;
constexpr int64_t kRetryUnavailableMs = 1'000;

// At most this often a line for each code; the line says how many were left out.
constexpr int64_t kLogEveryMs = 100;

// How many paths of violated fields a log line names.
constexpr int kLoggedPaths = 8;

uint64_t HashOf(const v1::Target& target) {
  switch (target.to_case()) {
    case v1::Target::kUserId:
      return absl::HashOf(target.to_case(), target.user_id());
    case v1::Target::kUserIds: {
      const auto& ids = target.user_ids().ids();
      return absl::HashOf(target.to_case(), absl::MakeConstSpan(ids.data(), ids.size()));
    }
    case v1::Target::kRoomId:
      return absl::HashOf(target.to_case(), target.room_id());
    case v1::Target::kUserInRoom:
      return absl::HashOf(target.to_case(), target.user_in_room().user_id(),
                          target.user_in_room().room_id());
    case v1::Target::kEveryone:
    case v1::Target::TO_NOT_SET:
      break;
  }
  return absl::HashOf(target.to_case());
}

// What makes two emits the same: event, target, occurred_at and ttl as they were given. The payload
// is compared by its JSON, which is one text for equal payloads; whom an emit leaves out
// (except_connection_id) is not part of it.
uint64_t Fingerprint(const v1::EmitEventRequest& request, const Entry& entry) {
  const auto& at = request.occurred_at();
  const auto& ttl = request.ttl();
  return absl::HashOf(entry.name, entry.payload, HashOf(request.target()),
                      request.has_occurred_at(), at.seconds(), at.nanos(), request.has_ttl(),
                      ttl.seconds(), ttl.nanos());
}

// Who emits what the relay makes in the application's name, as the log has it.
const std::string& OwnClient() {
  static const std::string* const name = new std::string("webhook");
  return *name;
}

// Such an emit; keeps itself until it is done.
class OwnEmit final : public Emit {
 public:
  explicit OwnEmit(absl::AnyInvocable<void(absl::Status)> done) : done_(std::move(done)) {}

 private:
  void Done() override {
    const std::unique_ptr<OwnEmit> self(this);
    if (refusal() == nullptr) return done_(absl::OkStatus());
    const auto code = static_cast<absl::StatusCode>(refusal()->code());
    // Under this id it was shown, if in other words: by the application.
    done_(code == absl::StatusCode::kAlreadyExists ? absl::OkStatus()
                                                   : absl::Status(code, refusal()->message()));
  }

  absl::AnyInvocable<void(absl::Status)> done_;
};

// The event's name as far as a refused request tells it.
std::string_view EventName(const v1::EmitEventRequest& request) {
  if (request.event_case() == v1::EmitEventRequest::EVENT_NOT_SET) return "none";
  if (request.has_custom()) return request.custom().name();
  return v1::EmitEventRequest::descriptor()->FindFieldByNumber(request.event_case())->name();
}

// The paths of a BadRequest's violated fields, comma-separated.
std::string Paths(const google::rpc::Status& refusal) {
  std::string paths;
  for (const auto& detail : refusal.details()) {
    google::rpc::BadRequest bad;
    if (!detail.UnpackTo(&bad)) continue;
    for (int i = 0; i < bad.field_violations_size() && i < kLoggedPaths; ++i) {
      absl::StrAppend(&paths, paths.empty() ? "" : ",", bad.field_violations(i).field());
    }
  }
  return paths;
}

google::rpc::Status RefusalOf(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      return RefuseForNow(status.code(), message, kRetryExhaustedMs);
    case absl::StatusCode::kUnavailable:
      return RefuseForNow(status.code(), message, kRetryUnavailableMs);
    default:
      return Refuse(status.code(), message);
  }
}

}  // namespace

void Emit::Answer(v1::EmitEventResponse& response) const {
  response.set_event_id(entry_->event_id);
  *response.mutable_cursor() = emitter_->CursorAt(result_.sequence);
  response.set_duplicate(duplicate_);
  response.set_superseded(result_.superseded);
  response.set_expired(result_.expired);
  auto& recipients = *response.mutable_recipients();
  recipients.set_users_targeted(result_.recipients.users_targeted);
  recipients.set_users_online(result_.recipients.users_online);
  recipients.set_connections(result_.recipients.connections);
}

void Emit::OnSettled(const Idempotency::Result* result) {
  if (result != nullptr) return emitter_->Accept(*this, *result, /*duplicate=*/true);
  emitter_->Claim(*this, emitter_->clock_.SteadyMillis());
}

Emitter::Emitter(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher,
                 Options options)
    : catalog_(catalog),
      clock_(clock),
      dispatcher_(dispatcher),
      options_(options),
      cursor_prefix_(dispatcher.epoch() + "-"),
      idempotency_(options.idempotency),
      stats_(catalog.types().size()) {
  for (int code = 0; code < kRpcCodes; ++code) log_refused_.emplace_back(kLogEveryMs);
}

std::string Emitter::CursorAt(uint64_t sequence) const {
  return absl::StrCat(cursor_prefix_, sequence);
}

google::rpc::Status Emitter::DrainingRefusal() {
  return RefuseForNow(absl::StatusCode::kUnavailable, "the relay is draining", kRetryUnavailableMs);
}

bool Emitter::Enter(google::rpc::Status& refusal) {
  if (draining()) {
    refusal = DrainingRefusal();
    return false;
  }
  if (in_flight_.fetch_add(1, std::memory_order_relaxed) >= options_.max_in_flight) {
    Leave();
    refusal = RefuseForNow(absl::StatusCode::kResourceExhausted, "too many calls in flight",
                           kRetryExhaustedMs);
    return false;
  }
  return true;
}

void Emitter::Start(Emit& emit, const v1::EmitEventRequest& request, const std::string& client,
                    const Moment& now) {
  emit.emitter_ = this;
  emit.client_ = &client;
  Catalog::Prepared prepared = catalog_.Prepare(request, now.wall);
  if (prepared.entry == nullptr) {
    return Refuse(emit, RefuseInvalid(prepared.violations), EventName(request));
  }
  emit.entry_ = std::move(prepared.entry);
  if (!request.has_event_id()) return Dispatch(emit);
  emit.fingerprint_ = Fingerprint(request, *emit.entry_);
  Claim(emit, now.steady);
}

void Emitter::Reject(Emit& emit, google::rpc::Status refusal, const std::string& client) {
  emit.emitter_ = this;
  emit.client_ = &client;
  Refuse(emit, std::move(refusal), {});
}

void Emitter::Take(const v1::EmitEventRequest& request,
                   absl::AnyInvocable<void(absl::Status)> done) {
  auto* const emit = new OwnEmit(std::move(done));  // it ends itself
  Start(*emit, request, OwnClient(), Now());
}

void Emitter::Claim(Emit& emit, int64_t now) {
  const Idempotency::Claimed claimed =
      idempotency_.Claim(emit.entry_->event_id, emit.fingerprint_, now, &emit);
  switch (claimed.verdict) {
    case Idempotency::Verdict::kFirst:
      emit.held_ = claimed.held;
      return Dispatch(emit);
    case Idempotency::Verdict::kRepeat:
      return Accept(emit, claimed.result, /*duplicate=*/true);
    case Idempotency::Verdict::kWaits:
      return;  // OnSettled goes on, perhaps already has
    case Idempotency::Verdict::kOther:
      return Refuse(emit,
                    msab::Refuse(absl::StatusCode::kAlreadyExists,
                                 "event_id was used for another event, target, occurred_at or ttl"),
                    emit.entry_->name);
  }
}

void Emitter::Dispatch(Emit& emit) {
  dispatcher_.Dispatch(emit.entry_, [&emit](absl::StatusOr<Dispatched> outcome) {
    emit.emitter_->OnDispatched(emit, std::move(outcome));
  });
}

void Emitter::OnDispatched(Emit& emit, absl::StatusOr<Dispatched> outcome) {
  Idempotency::Held* const held = std::exchange(emit.held_, nullptr);
  if (!outcome.ok()) {
    if (held != nullptr) idempotency_.Release(held);
    return Refuse(emit, RefusalOf(outcome.status()), emit.entry_->name);
  }
  const Idempotency::Result result{outcome->sequence, outcome->recipients, outcome->superseded,
                                   outcome->expired};
  if (held != nullptr) idempotency_.Keep(held, result);
  Accept(emit, result, /*duplicate=*/false);
}

void Emitter::Accept(Emit& emit, const Idempotency::Result& result, bool duplicate) {
  if (duplicate) {
    stats_.duplicates.Add();
  } else {
    stats_.accepted[emit.entry_->type->index].Add();
    if (result.superseded) stats_.superseded.Add();
    if (result.expired) stats_.expired.Add();
    if (result.recipients.connections == 0) stats_.unreached.Add();
  }
  emit.result_ = result;
  emit.duplicate_ = duplicate;
  emit.Done();
}

void Emitter::Refuse(Emit& emit, google::rpc::Status refusal, std::string_view event) {
  Refused(refusal, *emit.client_, event);
  emit.refusal_ = std::make_unique<google::rpc::Status>(std::move(refusal));
  emit.Done();
}

void Emitter::Refused(const google::rpc::Status& refusal, std::string_view client,
                      std::string_view event) {
  const int code = refusal.code() > 0 && refusal.code() < kRpcCodes
                       ? refusal.code()
                       : static_cast<int>(absl::StatusCode::kUnknown);
  stats_.refused[code].Add();
  uint64_t suppressed = 0;
  if (!log_refused_[code].Due(clock_.SteadyMillis(), suppressed)) return;
  LogLine line(LogLevel::info, "emit refused");
  line.With("code", CodeName(code)).With("client", client);
  if (!event.empty()) line.With("event", event);
  if (const std::string paths = Paths(refusal); !paths.empty()) line.With("fields", paths);
  if (suppressed > 0) line.With("suppressed", suppressed);
}

}  // namespace msab
