#ifndef MSAB_INGRESS_HTTP_TWIN_H_
#define MSAB_INGRESS_HTTP_TWIN_H_

#include <string>
#include <vector>

#include "server/http/http_server.h"
#include "server/ingress/api_keys.h"
#include "server/ingress/emitter.h"

namespace msab {

// EventService for hosts without gRPC: the same requests and answers as Protobuf JSON over HTTP,
// through the same Emitter.
//
//   POST /v1/events:emit       EmitEventRequest → EmitEventResponse
//   POST /v1/events:emitBatch  EmitEventsRequest → EmitEventsResponse
//   GET  /v1/cursor            → GetCursorResponse
//   GET  /v1/contract          → the AsyncAPI document; any key may read it
//
// Errors are the JSON of a google.rpc.Status with the HTTP status that matches, and Retry-After
// where there is a RetryInfo.
//
// Owned by the Relay; outlives the HttpServer. Runs on the HTTP server's thread.
class HttpTwin {
 public:
  // `emitter` and `keys` outlive this.
  HttpTwin(Emitter& emitter, const ApiKeys& keys);

  std::vector<HttpRoute> Routes() const;

 private:
  // Constant after construction
  Emitter& emitter_;
  const ApiKeys& keys_;
  const std::string contract_;
};

// The HTTP status that matches a google.rpc.Code.
int HttpStatusOf(int rpc_code);

}  // namespace msab

#endif  // MSAB_INGRESS_HTTP_TWIN_H_
