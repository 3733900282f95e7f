#include "tests/e2e/harness/twin_door.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace msab::e2e {
namespace {

constexpr char kTypePrefix[] = "type.googleapis.com/google.rpc.";

Answer FromStatus(const Json& status) {
  Answer answer;
  answer.code = static_cast<int>(Number(status, "code"));
  EXPECT_NE(answer.code, kOk) << status;
  answer.message = Text(status, "message");
  if (!Has(status, "details")) return answer;
  for (const Json& detail : At(status, "details").as_array()) {
    const std::string type = Text(detail, "@type");
    if (type == absl::StrCat(kTypePrefix, "BadRequest")) {
      for (const Json& violation : At(detail, "field_violations").as_array()) {
        answer.violations[Text(violation, "field")] = Text(violation, "description");
      }
    } else if (type == absl::StrCat(kTypePrefix, "RetryInfo")) {
      double seconds = 0;
      EXPECT_TRUE(absl::SimpleAtod(absl::StripSuffix(Text(detail, "retry_delay"), "s"), &seconds))
          << detail;
      answer.retry_ms = static_cast<int64_t>(seconds * 1'000);
    } else {
      ADD_FAILURE() << "an unexpected detail: " << detail;
    }
  }
  return answer;
}

Answer FromResponse(const Json& response) {
  Answer answer;
  answer.event_id = Text(response, "event_id");
  answer.cursor = Text(response, "cursor");
  answer.duplicate = At(response, "duplicate") == Json(true);
  answer.superseded = At(response, "superseded") == Json(true);
  answer.expired = At(response, "expired") == Json(true);
  const Json& recipients = At(response, "recipients");
  answer.users_targeted = Number(recipients, "users_targeted");
  answer.users_online = Number(recipients, "users_online");
  answer.connections = Number(recipients, "connections");
  return answer;
}

}  // namespace

Answer FromTwin(const HttpResponse& response) {
  const Json body = ParseJson(response.body);
  Answer answer = response.status == 200 ? FromResponse(body) : FromStatus(body);
  answer.http_status = response.status;
  for (const auto& [name, value] : response.headers) answer.headers.emplace_back(name, value);
  return answer;
}

TwinDoor::TwinDoor(const RelayProcess& relay, std::string key)
    : relay_(relay), key_(std::move(key)) {}

Headers TwinDoor::Authorization() const {
  if (key_.empty()) return {};
  return {{"Authorization", "Bearer " + key_}};
}

HttpResponse TwinDoor::Post(const std::string& target, const std::string& body) {
  Headers headers = Authorization();
  headers.emplace_back("Content-Type", "application/json");
  return Fetch(relay_.host(), relay_.http_port(), "POST", target, headers, body);
}

HttpResponse TwinDoor::Get(const std::string& target) {
  return Fetch(relay_.host(), relay_.http_port(), "GET", target, Authorization());
}

Answer TwinDoor::Emit(const std::string& request) {
  return FromTwin(Post("/v1/events:emit", request));
}

std::vector<Answer> TwinDoor::EmitBatch(const std::vector<std::string>& requests) {
  const HttpResponse response = Post(
      "/v1/events:emitBatch", absl::StrCat(R"({"events":[)", absl::StrJoin(requests, ","), "]}"));
  if (response.status != 200) return {FromTwin(response)};
  std::vector<Answer> answers;
  const Json body = ParseJson(response.body);
  for (const Json& result : At(body, "results").as_array()) {
    answers.push_back(Has(result, "error") ? FromStatus(At(result, "error"))
                                           : FromResponse(At(result, "ok")));
  }
  return answers;
}

Answer TwinDoor::GetCursor() { return FromTwin(Get("/v1/cursor")); }

}  // namespace msab::e2e
