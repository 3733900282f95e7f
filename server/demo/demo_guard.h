#ifndef MSAB_DEMO_DEMO_GUARD_H_
#define MSAB_DEMO_DEMO_GUARD_H_

#include <optional>
#include <string_view>

#include "server/http/http_server.h"

namespace msab {

// Who may have the demo page and what it needs: a browser on this machine that was sent here by its
// own address bar, a link, or the page itself. Nothing: yes; else the 403 that says why not.
//
// The listener is on loopback, but that does not keep out a web page in the same browser. So:
//   - Host must be a loopback address or `localhost`, there once. A name of a stranger's that
//     resolves to 127.0.0.1 (DNS rebinding) would make our answers readable to the stranger's page;
//     the browser sends that name.
//   - Sec-Fetch-Site, where the browser sends it, must say `same-origin` or `none` unless a link
//   was
//     followed (Sec-Fetch-Dest `document`, which a page can't read), and Origin must be ours: no
//     other site's page is answered at all.
//   - Nothing that a proxy forwarded (Forwarded, X-Forwarded-For, Via): behind one, loopback means
//     anybody.
// Any thread.
std::optional<HttpResponse> GuardDemo(const HttpRequest& request);

// "127.0.0.1" of "127.0.0.1:9090", "[::1]" of "[::1]:9090" or of "[::1]".
std::string_view HostWithoutPort(std::string_view authority);

}  // namespace msab

#endif  // MSAB_DEMO_DEMO_GUARD_H_
