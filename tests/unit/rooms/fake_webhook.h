#ifndef MSAB_TESTS_UNIT_ROOMS_FAKE_WEBHOOK_H_
#define MSAB_TESTS_UNIT_ROOMS_FAKE_WEBHOOK_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "boost/json/parse.hpp"
#include "server/upstream/webhook.h"

namespace msab {

// Keeps what it is asked until the test answers.
class FakeWebhook final : public Webhook {
 public:
  void Submit(WebhookCommand command, Done done) override {
    commands.push_back(std::move(command));
    dones.push_back(std::move(done));
  }

  void Accept(size_t place, std::string_view data = "{}", bool late = false) {
    dones.at(place)({.kind = WebhookResult::Kind::kAccepted,
                     .late = late,
                     .data = boost::json::parse({data.data(), data.size()}).as_object()});
  }
  void Reject(size_t place, std::string code, std::string reason) {
    dones.at(place)({.kind = WebhookResult::Kind::kRejected,
                     .code = std::move(code),
                     .reason = std::move(reason)});
  }
  void Fail(size_t place, WebhookResult::Kind kind) {
    WebhookResult result{.kind = kind};
    if (kind == WebhookResult::Kind::kOverloaded) result.retry_after_ms = 1'000;
    dones.at(place)(std::move(result));
  }

  std::vector<WebhookCommand> commands;
  std::vector<Done> dones;
};

}  // namespace msab

#endif  // MSAB_TESTS_UNIT_ROOMS_FAKE_WEBHOOK_H_
