#include "server/admin/health_pages.h"

#include <algorithm>
#include <utility>

#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"

namespace msab {

void HealthPages::Add(std::string name, Need need, std::function<absl::Status()> check) {
  things_.push_back({std::move(name), need, std::move(check)});
}

bool HealthPages::Ready() const {
  return std::all_of(things_.begin(), things_.end(), [](const Thing& thing) {
    return thing.need == Need::kHelpful || thing.check().ok();
  });
}

HttpResponse HealthPages::Readiness() const {
  bool ready = true;
  boost::json::array checks;
  for (const Thing& thing : things_) {
    const absl::Status status = thing.check();
    const bool required = thing.need == Need::kRequired;
    ready = ready && (status.ok() || !required);
    boost::json::object check{{"name", thing.name}, {"ok", status.ok()}, {"required", required}};
    if (!status.ok()) check["message"] = std::string(status.message());
    checks.push_back(std::move(check));
  }
  HttpResponse response;
  response.status = ready ? 200 : 503;
  response.body =
      boost::json::serialize(boost::json::object{{"ready", ready}, {"checks", std::move(checks)}});
  return response;
}

std::vector<HttpRoute> HealthPages::Routes() const {
  std::vector<HttpRoute> routes;
  routes.push_back({"GET", "/healthz", nullptr, [](const HttpRequest&, HttpReply reply) {
                      reply({200, "ok\n", "text/plain", {}});
                    }});
  routes.push_back({"GET", "/readyz", nullptr,
                    [this](const HttpRequest&, HttpReply reply) { reply(Readiness()); }});
  return routes;
}

}  // namespace msab
