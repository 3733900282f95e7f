#ifndef MSAB_INGRESS_JSON_REQUEST_H_
#define MSAB_INGRESS_JSON_REQUEST_H_

#include <optional>
#include <string>

#include "google/rpc/status.pb.h"
#include "msab/v1/event_service.pb.h"
#include "server/ingress/emit_batch.h"

namespace msab {

// The bodies of the HTTP twin: the requests of event_service.proto in Protobuf's JSON (both
// spellings of a field; one that is not known is refused). What the reader has to complain about is
// said in the contract's words and paths: `reward.amount`, not `reward_earned.reward.amount`; never
// a value. Any thread.

// The body of an emit; nothing with `refusal` set (INVALID_ARGUMENT) if it is none.
std::optional<v1::EmitEventRequest> ReadEmit(const std::string& body, google::rpc::Status& refusal);

// The body of a batch. Its items stand alone here, too: one that is not an emit has its refusal in
// `faults`, and an empty event in its place. Nothing with `refusal` set (INVALID_ARGUMENT) if there
// are no items to be told apart, or too many.
struct BatchBody {
  v1::EmitEventsRequest request;
  EmitBatch::Faults faults;
};
std::optional<BatchBody> ReadBatch(const std::string& body, google::rpc::Status& refusal);

}  // namespace msab

#endif  // MSAB_INGRESS_JSON_REQUEST_H_
