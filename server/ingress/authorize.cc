#include "server/ingress/authorize.h"

#include "absl/strings/str_cat.h"
#include "grpcpp/server_context.h"
#include "server/ingress/refusal.h"

namespace msab {

const ApiClient* Authorize(const ApiKeys& keys, std::string_view authorization, Right right,
                           google::rpc::Status& refusal) {
  if (authorization.empty()) {
    refusal = Refuse(absl::StatusCode::kUnauthenticated,
                     "an API key is wanted: authorization: Bearer <key>");
    return nullptr;
  }
  const ApiClient* const client = keys.FindBearer(authorization);
  if (client == nullptr) {
    refusal = Refuse(absl::StatusCode::kUnauthenticated, "unknown API key");
    return nullptr;
  }
  if (!(right == Right::kEmit ? client->emit : client->admin)) {
    refusal = Refuse(absl::StatusCode::kPermissionDenied,
                     absl::StrCat("the API key \"", client->name, "\" lacks the right \"",
                                  right == Right::kEmit ? "emit" : "admin", "\""));
    return nullptr;
  }
  return client;
}

const ApiClient* Authorize(const ApiKeys& keys, const grpc::CallbackServerContext& context,
                           Right right, google::rpc::Status& refusal) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end()) return Authorize(keys, std::string_view(), right, refusal);
  return Authorize(keys, std::string_view(found->second.data(), found->second.size()), right,
                   refusal);
}

}  // namespace msab
