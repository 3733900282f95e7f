#include "server/ingress/http_twin.h"

#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "msab/v1/event_service.pb.h"
#include "server/ingress/authorize.h"
#include "server/ingress/emit_batch.h"
#include "server/ingress/json_request.h"
#include "server/ingress/refusal.h"

namespace msab {
namespace {

namespace json = google::protobuf::util;

// The proto's own field names, and what is zero or false printed too.
std::string ToJson(const google::protobuf::Message& message) {
  json::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = json::MessageToJsonString(message, &text, options);
  return status.ok() ? text : "{}";  // only an Any of a type that nobody linked could fail
}

HttpResponse RefusalResponse(const google::rpc::Status& refusal) {
  HttpResponse response;
  response.status = HttpStatusOf(refusal.code());
  response.body = ToJson(refusal);
  if (const int64_t seconds = RetryAfterSeconds(refusal); seconds > 0) {
    response.headers.emplace_back("Retry-After", absl::StrCat(seconds));
  }
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// An emit, or a batch of them, that answers an HTTP request. Owns itself until its end.
template <typename Work, typename Response>
class HttpEmit final : private Work {
 public:
  HttpEmit(Emitter& emitter, HttpReply reply) : emitter_(emitter), reply_(std::move(reply)) {}

  template <typename Body>
  void Run(const Body& body, const std::string& client) {
    if constexpr (std::is_base_of_v<EmitBatch, Work>) {
      Work::Start(emitter_, body.request, client, body.faults);
    } else {
      emitter_.Start(*this, body, client, emitter_.Now());
    }
  }

 private:
  void Done() override {
    emitter_.Leave();
    reply_(Outcome());
    delete this;
  }

  HttpResponse Outcome() const {
    if constexpr (!std::is_base_of_v<EmitBatch, Work>) {
      if (this->refusal() != nullptr) return RefusalResponse(*this->refusal());
    }
    Response response;
    this->Answer(response);
    return {200, ToJson(response), "application/json", {}};
  }

  Emitter& emitter_;
  HttpReply reply_;
};

// `read` is ReadEmit or ReadBatch.
template <typename Work, typename Response, typename Read>
void Serve(Emitter& emitter, const ApiClient& client, const HttpRequest& http, HttpReply reply,
           Read read) {
  google::rpc::Status refusal;
  const auto body = read(http.body, refusal);
  if (!body || !emitter.Enter(refusal)) {
    emitter.Refused(refusal, client.name);
    return reply(RefusalResponse(refusal));
  }
  (new HttpEmit<Work, Response>(emitter, std::move(reply)))->Run(*body, client.name);
}

}  // namespace

int HttpStatusOf(int rpc_code) {
  switch (static_cast<absl::StatusCode>(rpc_code)) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

HttpTwin::HttpTwin(Emitter& emitter, const ApiKeys& keys)
    : emitter_(emitter), keys_(keys), contract_(emitter.catalog().PrintContract()) {}

std::vector<HttpRoute> HttpTwin::Routes() const {
  const auto client_of = [this](const HttpRequest& request) {
    return keys_.FindBearer(request.Header("authorization"));
  };
  // Before the body is read: a stranger's four megabytes stay outside.
  const auto may_emit = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
    google::rpc::Status refusal;
    if (Authorize(keys_, request.Header("authorization"), Right::kEmit, refusal) != nullptr) {
      return std::nullopt;
    }
    emitter_.Refused(refusal, "http");
    return RefusalResponse(refusal);
  };
  const auto has_key = [this,
                        client_of](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (client_of(request) != nullptr) return std::nullopt;
    const google::rpc::Status refusal = Refuse(absl::StatusCode::kUnauthenticated,
                                               "an API key is wanted: authorization: Bearer <key>");
    emitter_.Refused(refusal, "http");
    return RefusalResponse(refusal);
  };

  std::vector<HttpRoute> routes;
  routes.push_back({"POST", "/v1/events:emit", may_emit,
                    [this, client_of](const HttpRequest& request, HttpReply reply) {
                      Serve<Emit, v1::EmitEventResponse>(emitter_, *client_of(request), request,
                                                         std::move(reply), ReadEmit);
                    }});
  routes.push_back({"POST", "/v1/events:emitBatch", may_emit,
                    [this, client_of](const HttpRequest& request, HttpReply reply) {
                      Serve<EmitBatch, v1::EmitEventsResponse>(
                          emitter_, *client_of(request), request, std::move(reply), ReadBatch);
                    }});
  routes.push_back({"GET", "/v1/cursor", may_emit, [this](const HttpRequest&, HttpReply reply) {
                      v1::GetCursorResponse response;
                      response.set_cursor(emitter_.Cursor());
                      reply({200, ToJson(response), "application/json", {}});
                    }});
  routes.push_back({"GET", "/v1/contract", has_key, [this](const HttpRequest&, HttpReply reply) {
                      reply({200, contract_, "application/json", {}});
                    }});
  return routes;
}

}  // namespace msab
