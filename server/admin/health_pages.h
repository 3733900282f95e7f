#ifndef MSAB_ADMIN_HEALTH_PAGES_H_
#define MSAB_ADMIN_HEALTH_PAGES_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/http/http_server.h"

namespace msab {

// `/healthz` and `/readyz` of the internal port. Alive is whoever answers; ready is who should get
// traffic. Readiness names every thing it looks at, so that one look says what is wrong:
//
//   {"ready":false,"checks":[{"name":"draining","ok":false,"required":true,"message":"…"},…]}
//
// Things are added before the HTTP server starts. Owned by the Relay; outlives the HttpServer.
class HealthPages {
 public:
  enum class Need {
    kRequired,  // not ready (503) without it
    kHelpful,   // without it the relay is degraded, but ready (200)
  };

  // `check` runs on the HTTP server's thread at every request: OK, or what is wrong.
  void Add(std::string name, Need need, std::function<absl::Status()> check);

  bool Ready() const;

  // GET /healthz and GET /readyz; no key is asked for.
  std::vector<HttpRoute> Routes() const;

 private:
  struct Thing {
    std::string name;
    Need need;
    std::function<absl::Status()> check;
  };

  HttpResponse Readiness() const;

  // Constant once served
  std::vector<Thing> things_;
};

}  // namespace msab

#endif  // MSAB_ADMIN_HEALTH_PAGES_H_
