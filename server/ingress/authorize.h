#ifndef MSAB_INGRESS_AUTHORIZE_H_
#define MSAB_INGRESS_AUTHORIZE_H_

#include <string_view>

#include "google/rpc/status.pb.h"
#include "server/ingress/api_keys.h"

namespace grpc {
class CallbackServerContext;
}  // namespace grpc

namespace msab {

// What a key may be asked for.
enum class Right { kEmit, kAdmin };

// Who calls, judged by the value of `authorization` ("Bearer <key>"). Null, with the refusal
// (UNAUTHENTICATED, PERMISSION_DENIED), for nobody who may.
const ApiClient* Authorize(const ApiKeys& keys, std::string_view authorization, Right right,
                           google::rpc::Status& refusal);

// The same from the metadata of a gRPC call.
const ApiClient* Authorize(const ApiKeys& keys, const grpc::CallbackServerContext& context,
                           Right right, google::rpc::Status& refusal);

}  // namespace msab

#endif  // MSAB_INGRESS_AUTHORIZE_H_
