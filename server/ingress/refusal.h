#ifndef MSAB_INGRESS_REFUSAL_H_
#define MSAB_INGRESS_REFUSAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "google/rpc/status.pb.h"
#include "server/contract/catalog.h"

namespace msab {

// Refusals as the wire says them: a google.rpc.Status with the details that its code has on the
// contract page. gRPC, its HTTP twin and the items of a batch all show the same one.

// RESOURCE_EXHAUSTED or UNAVAILABLE: may be repeated after `retry_ms` (google.rpc.RetryInfo).
google::rpc::Status RefuseForNow(absl::StatusCode code, const std::string& message,
                                 int64_t retry_ms);

// INVALID_ARGUMENT: google.rpc.BadRequest with every violated field; the message names their paths
// too, cut after 1 KiB.
google::rpc::Status RefuseInvalid(absl::Span<const Violation> violations);

// Any other code: no details.
google::rpc::Status Refuse(absl::StatusCode code, const std::string& message);

// google.rpc.Code is 0 (OK) … 16.
inline constexpr int kRpcCodes = 17;

// The name of a google.rpc.Code: "INVALID_ARGUMENT".
const char* CodeName(int code);

// What `Retry-After` says of it in whole seconds, at least 1; 0 where it says nothing.
int64_t RetryAfterSeconds(const google::rpc::Status& refusal);

}  // namespace msab

#endif  // MSAB_INGRESS_REFUSAL_H_
