#include "server/ingress/grpc_status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace msab {
namespace {

// Base64 makes a third more of it, and a message of 1 KiB may be escaped to three: 8 KiB in all.
constexpr size_t kMaxDetails = 3'500;

// The same refusal with as many violations as fit.
google::rpc::Status Cut(const google::rpc::Status& refusal) {
  google::rpc::Status cut;
  cut.set_code(refusal.code());
  cut.set_message(refusal.message());
  for (const auto& detail : refusal.details()) {
    google::rpc::BadRequest all;
    if (!detail.UnpackTo(&all)) {
      *cut.add_details() = detail;
      continue;
    }
    google::rpc::BadRequest some;
    size_t size = cut.ByteSizeLong();
    int taken = 0;
    for (; taken < all.field_violations_size(); ++taken) {
      const auto& violation = all.field_violations(taken);
      size += violation.ByteSizeLong() + 3;
      if (size > kMaxDetails) break;
      *some.add_field_violations() = violation;
    }
    auto& rest = *some.add_field_violations();
    rest.set_field("…");
    rest.set_description(absl::StrCat(all.field_violations_size() - taken, " more"));
    cut.add_details()->PackFrom(some);
  }
  return cut;
}

}  // namespace

grpc::Status ToGrpcStatus(const google::rpc::Status& refusal) {
  const auto code = static_cast<grpc::StatusCode>(refusal.code());
  if (refusal.details_size() == 0) return {code, refusal.message()};
  const bool fits = refusal.ByteSizeLong() <= kMaxDetails;
  return {code, refusal.message(),
          fits ? refusal.SerializeAsString() : Cut(refusal).SerializeAsString()};
}

}  // namespace msab
