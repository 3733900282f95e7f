#ifndef MSAB_DEMO_DEMO_PAGE_H_
#define MSAB_DEMO_DEMO_PAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/base/address.h"
#include "server/base/clock.h"
#include "server/http/http_server.h"

namespace msab {

// The demo page of development mode (`dev.enabled`): a few users side by side, and a panel to emit
// events. The page plays the Laravel application itself, so it gets what that has:
//
//   GET /                     → /demo/
//   GET /demo/, /demo/<file>  the page: plain HTML, CSS, ES modules
//   GET /demo/setup           {"ws","emit_key","room","users":[{"id","name"},…]}
//   GET /demo/token?user=42   {"token","expires_at" (ms since 1970)}: a demo user's, nobody else's
//
// `emit_key` is made anew for each run of the relay, has the right `emit` only, and opens the JSON
// twin beside the page: the configured keys never leave the process. Every route is behind
// GuardDemo, which says why that is safe. Without development mode none of them is there.
//
// Owned by the Relay; outlives the HttpServer. Runs on the HTTP server's thread.
class DemoPage {
 public:
  struct Options {
    HostPort ws;             // where WebSockets are accepted, the port that the kernel chose
    std::string emit_key;    // known to the ApiKeys, too
    std::string jwt_secret;  // signs the tokens; HS256
    std::string audience;    // what a token's `aud` must name; empty: not checked
  };

  // How long a token is good for: long enough to forget about, short enough to see it renewed.
  static constexpr int64_t kTokenSeconds = 600;

  // `clock` outlives this.
  DemoPage(Options options, const Clock& clock);

  std::vector<HttpRoute> Routes() const;

 private:
  HttpResponse Setup(const HttpRequest& request) const;
  HttpResponse Token(const HttpRequest& request) const;

  // The WebSocket's address as the page that asks reaches it.
  std::string WsUrl(const HttpRequest& request) const;

  // Constant after construction
  const Options options_;
  const Clock& clock_;
};

}  // namespace msab

#endif  // MSAB_DEMO_DEMO_PAGE_H_
