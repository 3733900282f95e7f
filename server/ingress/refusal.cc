#include "server/ingress/refusal.h"

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace msab {
namespace {

constexpr size_t kMaxMessage = 1024;

// Cuts after `size` bytes, but never inside a character.
void CutUtf8(std::string& text, size_t size) {
  if (text.size() <= size) return;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
}

}  // namespace

google::rpc::Status Refuse(absl::StatusCode code, const std::string& message) {
  google::rpc::Status refusal;
  refusal.set_code(static_cast<int>(code));
  refusal.set_message(message);
  return refusal;
}

google::rpc::Status RefuseForNow(absl::StatusCode code, const std::string& message,
                                 int64_t retry_ms) {
  google::rpc::Status refusal = Refuse(code, message);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(retry_ms / 1000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(retry_ms % 1000 * 1'000'000));
  refusal.add_details()->PackFrom(retry);
  return refusal;
}

google::rpc::Status RefuseInvalid(absl::Span<const Violation> violations) {
  std::string message = violations.size() == 1
                            ? absl::StrCat(violations[0].field, ": ", violations[0].description)
                            : absl::StrCat(violations.size(), " fields break the contract: ");
  google::rpc::BadRequest bad;
  for (size_t i = 0; i < violations.size(); ++i) {
    auto& violation = *bad.add_field_violations();
    violation.set_field(violations[i].field);
    violation.set_description(violations[i].description);
    if (violations.size() > 1 && message.size() <= kMaxMessage) {
      absl::StrAppend(&message, i == 0 ? "" : ", ", violations[i].field);
    }
  }
  CutUtf8(message, kMaxMessage);
  google::rpc::Status refusal = Refuse(absl::StatusCode::kInvalidArgument, message);
  refusal.add_details()->PackFrom(bad);
  return refusal;
}

const char* CodeName(int code) {
  static constexpr const char* kNames[kRpcCodes] = {"OK",
                                                    "CANCELLED",
                                                    "UNKNOWN",
                                                    "INVALID_ARGUMENT",
                                                    "DEADLINE_EXCEEDED",
                                                    "NOT_FOUND",
                                                    "ALREADY_EXISTS",
                                                    "PERMISSION_DENIED",
                                                    "RESOURCE_EXHAUSTED",
                                                    "FAILED_PRECONDITION",
                                                    "ABORTED",
                                                    "OUT_OF_RANGE",
                                                    "UNIMPLEMENTED",
                                                    "INTERNAL",
                                                    "UNAVAILABLE",
                                                    "DATA_LOSS",
                                                    "UNAUTHENTICATED"};
  return code >= 0 && code < kRpcCodes ? kNames[code] : "UNKNOWN";
}

int64_t RetryAfterSeconds(const google::rpc::Status& refusal) {
  for (const auto& detail : refusal.details()) {
    google::rpc::RetryInfo retry;
    if (!detail.UnpackTo(&retry)) continue;
    const int64_t whole = retry.retry_delay().seconds() + (retry.retry_delay().nanos() > 0 ? 1 : 0);
    return whole > 0 ? whole : 1;
  }
  return 0;
}

}  // namespace msab
