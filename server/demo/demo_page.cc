#include "server/demo/demo_page.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "server/demo/demo_files.h"
#include "server/demo/demo_guard.h"
#include "server/demo/demo_token.h"

namespace msab {
namespace {

struct DemoUser {
  int64_t id;
  std::string_view name;
};
constexpr std::array<DemoUser, 3> kUsers = {{{42, "Amira"}, {43, "Ben"}, {44, "Chloé"}}};

// The audio room of the demo: a number, so that `room.level_up` reaches it, too.
constexpr std::string_view kRoom = "42";

HttpResponse Json(const boost::json::value& value) {
  HttpResponse response;
  response.body = boost::json::serialize(value);
  response.headers = {{"X-Content-Type-Options", "nosniff"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  return response;
}

// A file of the page, with all that a browser can be told to keep out. The isolation headers also
// give the page's clock its full resolution (5 µs), which the latency plot wants.
HttpResponse File(const DemoFile& file, const std::string& ws_url) {
  HttpResponse response;
  response.body = file.text;
  response.content_type = file.content_type;
  response.headers = {
      {"Content-Security-Policy",
       absl::StrCat(
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
           "connect-src 'self' ",
           ws_url, "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Embedder-Policy", "require-corp"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Content-Type-Options", "nosniff"}};
  return response;
}

}  // namespace

DemoPage::DemoPage(Options options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

std::string DemoPage::WsUrl(const HttpRequest& request) const {
  // A page at `localhost` must find its WebSocket there: the relay compares the two hosts where no
  // origins are configured. The guard has seen that Host is this machine.
  std::string host = HostPort{options_.ws.host, options_.ws.port}.ToString();
  const std::string_view name = HostWithoutPort(request.Header("host"));
  const bool anywhere = options_.ws.host == "0.0.0.0" || options_.ws.host == "::";
  const bool by_name = name.find_first_of("[.") == name.npos;  // "localhost"
  if (anywhere || (by_name && options_.ws.IsLoopback())) {
    host = absl::StrCat(std::string(name), ":", options_.ws.port);
  }
  return absl::StrCat("ws://", host, "/ws");
}

HttpResponse DemoPage::Setup(const HttpRequest& request) const {
  boost::json::array users;
  for (const DemoUser& user : kUsers) {
    users.push_back({{"id", user.id}, {"name", boost::json::string(user.name)}});
  }
  return Json({{"ws", WsUrl(request)},
               {"emit_key", options_.emit_key},
               {"room", boost::json::string(kRoom)},
               {"users", std::move(users)}});
}

HttpResponse DemoPage::Token(const HttpRequest& request) const {
  const auto user = std::find_if(kUsers.begin(), kUsers.end(), [&request](const DemoUser& one) {
    return request.query == absl::StrCat("user=", one.id);
  });
  if (user == kUsers.end()) {
    const auto id = [](std::string* out, const DemoUser& one) { absl::StrAppend(out, one.id); };
    return HttpError(
        400, absl::StrCat("?user= names no demo user: they are ", absl::StrJoin(kUsers, ", ", id)));
  }
  const int64_t now = clock_.WallMillis() / 1000;
  const DemoClaims claims{user->id, user->name, options_.audience, now, now + kTokenSeconds};
  return Json({{"token", MintDemoToken(claims, options_.jwt_secret)},
               {"expires_at", claims.expires_at * 1000}});
}

std::vector<HttpRoute> DemoPage::Routes() const {
  std::vector<HttpRoute> routes;
  const auto add = [&routes](std::string path, auto answer) {
    routes.push_back(
        {"GET", std::move(path), GuardDemo,
         [answer](const HttpRequest& request, HttpReply reply) { reply(answer(request)); }});
  };
  const auto redirect = [](const HttpRequest&) {
    HttpResponse response;
    response.status = 302;
    response.content_type = "text/plain";
    response.headers = {{"Location", "/demo/"}};
    return response;
  };
  add("/", redirect);
  add("/demo", redirect);
  add("/demo/setup", [this](const HttpRequest& request) { return Setup(request); });
  add("/demo/token", [this](const HttpRequest& request) { return Token(request); });
  for (const DemoFile& file : DemoFiles()) {
    const std::string_view name = file.name == "index.html" ? "" : file.name;
    add(absl::StrCat("/demo/", std::string(name)),
        [this, &file](const HttpRequest& request) { return File(file, WsUrl(request)); });
  }
  return routes;
}

}  // namespace msab
