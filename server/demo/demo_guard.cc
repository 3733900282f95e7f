#include "server/demo/demo_guard.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/address.h"

namespace msab {
namespace {

bool IsThisMachine(std::string_view authority) {
  std::string host(HostWithoutPort(authority));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return absl::EqualsIgnoreCase(host, "localhost") || HostPort{host, 0}.IsLoopback();
}

bool IsThereOnce(const HttpRequest& request, std::string_view name) {
  return std::count_if(request.headers.begin(), request.headers.end(), [name](const auto& header) {
           return absl::EqualsIgnoreCase(header.first, absl::string_view(name.data(), name.size()));
         }) == 1;
}

}  // namespace

std::string_view HostWithoutPort(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const bool in_brackets = colon != authority.npos && authority.find(']', colon) != authority.npos;
  return in_brackets ? authority : authority.substr(0, colon);
}

std::optional<HttpResponse> GuardDemo(const HttpRequest& request) {
  const std::string_view host = request.Header("host");
  if (!IsThereOnce(request, "host") || !IsThisMachine(host)) {
    return HttpError(403,
                     "the demo page is served to this machine only: open it as "
                     "http://127.0.0.1 or http://localhost, with the port");
  }
  for (const char* header : {"forwarded", "x-forwarded-for", "via"}) {
    if (!request.Header(header).empty()) {
      return HttpError(403, "the demo page is not served through a proxy");
    }
  }
  const std::string_view site = request.Header("sec-fetch-site");
  const std::string_view origin = request.Header("origin");
  // A link that somebody followed here is fine: who set it sees nothing of where it leads.
  const bool followed = request.Header("sec-fetch-dest") == "document";
  const bool own_site = site.empty() || site == "same-origin" || site == "none" || followed;
  if (!own_site || (!origin.empty() && origin != absl::StrCat("http://", std::string(host)))) {
    return HttpError(403, "the demo page answers no page but its own");
  }
  return std::nullopt;
}

}  // namespace msab
