#ifndef MSAB_UPSTREAM_URL_H_
#define MSAB_UPSTREAM_URL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace msab {

// Where a webhook is: an http or https URL, taken apart (RFC 3986). A plain value.
struct WebhookUrl {
  bool tls = false;
  std::string host;    // a name, or an address; IPv6 without its brackets
  uint16_t port = 0;   // the scheme's where the URL has none
  std::string target;  // path and query: "/relay/webhook"
  std::string header;  // the value of `Host`: the port only where it isn't the scheme's

  // Nothing for what isn't such a URL: another scheme, a user name, a fragment, no host, a port out
  // of range, anything that isn't visible ASCII.
  static std::optional<WebhookUrl> Parse(std::string_view text);
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_URL_H_
