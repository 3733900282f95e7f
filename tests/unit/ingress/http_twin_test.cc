#include "server/ingress/http_twin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "tests/unit/http/http_client.h"
#include "tests/unit/ingress/ingress_fixture.h"

namespace msab {
namespace {

using test::HttpClient;
using test::IngressHouse;
using test::LateLog;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = boost::json::value;

// The first violation of an error's details: its field, and what is said of it.
std::string ViolationOf(const HttpResponse& response, std::string_view member) {
  const Json body = boost::json::parse(response.body);
  return body.at("details").at(0).at("field_violations").at(0).at(member).as_string().c_str();
}
std::string FieldOf(const HttpResponse& response) { return ViolationOf(response, "field"); }
std::string DescriptionOf(const HttpResponse& response) {
  return ViolationOf(response, "description");
}

std::string_view HeaderOf(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

template <typename L>
class TwinFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    HttpServer::Options options;
    options.listen = {"127.0.0.1", 0};
    auto server = HttpServer::Start(options, twin_.Routes());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = std::make_unique<HttpClient>(server_->address());
  }

  HttpResponse Post(const std::string& path, const std::string& body,
                    const std::string& key = "emit-key") {
    return client_->Do("POST", path, body, Key(key));
  }
  HttpResponse Get(const std::string& path, const std::string& key = "emit-key") {
    return client_->Do("GET", path, {}, Key(key));
  }
  static HttpHeaders Key(const std::string& key) {
    return key.empty() ? HttpHeaders{} : HttpHeaders{{"Authorization", "Bearer " + key}};
  }

  IngressHouse<L> house_;
  HttpTwin twin_{house_.emitter, house_.keys};
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};
using HttpTwinTest = TwinFixture<MemoryLog>;
using LateHttpTwinTest = TwinFixture<LateLog>;

TEST_F(HttpTwinTest, AnswersWithTheProtosNamesAndZeros) {
  const HttpResponse response =
      Post("/v1/events:emit", R"({"event_id":"e1","balance_updated":{"user_id":42,"coins":"1"}})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(
      response.body,
      R"({"event_id":"e1","cursor":"testepoch-1","duplicate":false,"superseded":false,)"
      R"("expired":false,"recipients":{"users_targeted":1,"users_online":0,"connections":0}})");
}

TEST_F(HttpTwinTest, TakesBothSpellings) {
  EXPECT_EQ(
      Post(
          "/v1/events:emit",
          R"({"eventId":"e1","balanceUpdated":{"user_id":42},"occurredAt":"2026-01-01T00:00:00Z"})")
          .status,
      200);
  // The same emit in the other spelling, and over the other protocol's message.
  const HttpResponse again = Post(
      "/v1/events:emit",
      R"({"event_id":"e1","balance_updated":{"user_id":"42"},"occurred_at":"2026-01-01T00:00:00Z"})");
  EXPECT_THAT(again.body, HasSubstr(R"("duplicate":true)"));
  v1::EmitEventRequest request;
  request.set_event_id("e1");
  request.mutable_balance_updated()->set_user_id(42);
  request.mutable_occurred_at()->set_seconds(1'767'225'600);
  EXPECT_TRUE(house_.Emit(request)->answer().duplicate());
}

TEST_F(HttpTwinTest, EmitsABatch) {
  const HttpResponse response = Post(
      "/v1/events:emitBatch",
      R"({"events":[{"event_id":"a","balance_updated":{"user_id":1}},{"event_id":"b"},)"
      R"({"event_id":"c","speaker_active":{"roomId":"r","userId":"","activeSpeakers":[],"timestamp":1}}]})");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json body = boost::json::parse(response.body);
  const auto& results = body.at("results").as_array();
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].at("ok").at("cursor").as_string(), "testepoch-1");
  EXPECT_EQ(results[1].at("error").at("code").as_int64(), 3);
  EXPECT_EQ(results[2].at("ok").at("event_id").as_string(), "c");
}

TEST_F(HttpTwinTest, ABatchHasABound) {
  std::string body = R"({"events":[{})";
  for (int i = 0; i < kMaxBatch; ++i) body += ",{}";
  const HttpResponse response = Post("/v1/events:emitBatch", body + "]}");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(FieldOf(response), "events");
}

TEST_F(HttpTwinTest, ShowsTheCursorAndTheContract) {
  Post("/v1/events:emit", R"({"balance_updated":{"user_id":42}})");
  EXPECT_EQ(Get("/v1/cursor").body, R"({"cursor":"testepoch-1"})");
  const HttpResponse contract = Get("/v1/contract");
  EXPECT_EQ(contract.body, house_.catalog->PrintContract());
  EXPECT_EQ(Get("/v1/contract", "admin-key").status, 200);
}

TEST_F(HttpTwinTest, WantsAKeyOnEveryPathItKnows) {
  for (const char* path : {"/v1/events:emit", "/v1/events:emitBatch"}) {
    const HttpResponse nobody = Post(path, "{}", "");
    EXPECT_EQ(nobody.status, 401);
    EXPECT_EQ(boost::json::parse(nobody.body).at("code").as_int64(), 16);
    client_ = std::make_unique<HttpClient>(server_->address());  // its body was left unread
    EXPECT_EQ(Post(path, "{}", "wrong").status, 401);
    client_ = std::make_unique<HttpClient>(server_->address());
    EXPECT_EQ(Post(path, "{}", "admin-key").status, 403);
    client_ = std::make_unique<HttpClient>(server_->address());
  }
  EXPECT_EQ(Get("/v1/cursor", "").status, 401);
  EXPECT_EQ(Get("/v1/cursor", "admin-key").status, 403);
  EXPECT_EQ(Get("/v1/contract", "").status, 401);
  EXPECT_EQ(Get("/v1/nothing", "").status, 404);  // before any key is looked at
  EXPECT_EQ(house_.emitter.stats().refused[16].Value(), 6);
  EXPECT_EQ(house_.emitter.stats().refused[7].Value(), 3);
}

TEST_F(HttpTwinTest, RefusesWhatIsNotTheRequest) {
  const struct {
    const char* body;
    const char* field;
    const char* description;
  } cases[] = {
      {R"({"balance_updated":{"user":1}})", "user", "is not known here"},
      {R"({"nonsense":1})", "nonsense", "is not known here"},
      {R"({"balance_updated":{"user_id":"x"}})", "user_id", "must be a whole number"},
      {R"({"balance_updated":{"user_id":1,"coins":5}})", "coins", "must be a string"},
      {R"({"balanceUpdated":{"user_id":1,"coins":5}})", "coins", "must be a string"},
      {R"({"balance_updated":{"user_id":1,"coins":" for type "}})", "coins", "is no decimal"},
      {R"({"balance_updated":{"user_id":1,"coins":{}}})", "coins", "must not be an object"},
      {R"({"balance_updated":{"user_id":1,"coins":["5"]}})", "coins", "must not be a list"},
      {R"({"balance_updated":5})", "balance_updated", "must be an object"},
      {R"({"balance_updated":[]})", "balance_updated", "must not be a list"},
      {R"({"balance_updated":{"user_id":1,"user_id":2}})", "user_id", "is there twice"},
      {R"({"reward_earned":{"reward":{"amount":5}}})", "reward.amount", "must be a string"},
      {R"({"asset_invalidate":{"asset_ids":["a",1]}})", "asset_ids[1]", "must be a string"},
      {R"({"target":{"user_id":1,"room_id":"r"}})", "target", "room_id is one too many"},
      {R"({"custom":{"nome":"x"}})", "custom.nome", "is not known here"},
      {R"({"event_id":"a","eventId":"b"})", "eventId", "is there twice"},
      {R"({"event_id":[]})", "event_id", "must not be a list"},
      {R"({"ttl":"soon"})", "ttl", "must be a duration such as \"1.5s\""},
      {R"({"occurred_at":5})", "occurred_at", "must be a time such as"},
      {R"({"balance_updated":{},"reward_earned":{}})", "event", "reward_earned is one too many"},
      {R"({"a" 1})", "body", "is not the JSON of the request: Expected : between"},
      {"[]", "body", "must be an object"},
      {"", "body", "is not the JSON of the request: Unexpected end"},
      {"{\"event_id\":\"\xff\"}", "body", "is not the JSON of the request"},
  };
  for (const auto& [body, field, description] : cases) {
    const HttpResponse response = Post("/v1/events:emit", body);
    ASSERT_EQ(response.status, 400) << body;
    EXPECT_EQ(FieldOf(response), field) << body << " → " << response.body;
    EXPECT_THAT(DescriptionOf(response), HasSubstr(description)) << body;
  }
  EXPECT_EQ(house_.log.Head(), 0u);
}

TEST_F(HttpTwinTest, RefusesWhatIsNoBatch) {
  for (const auto& [body, field] : {
           std::pair(R"({"events":5})", "events"),
           std::pair(R"({"events":{}})", "events"),
           std::pair(R"({"eventz":[]})", "eventz"),
           std::pair("[]", "body"),
           std::pair("", "body"),
           std::pair(R"({"events":[{"balance_updated":{"user_id":1}},]})", "body"),
       }) {
    const HttpResponse response = Post("/v1/events:emitBatch", body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(FieldOf(response), field) << body;
  }
  for (const char* body : {"{}", R"({"events":null})", R"({"events":[]})"}) {
    EXPECT_EQ(Post("/v1/events:emitBatch", body).body, R"({"results":[]})") << body;
  }
  EXPECT_EQ(house_.log.Head(), 0u);
}

// Also what can't even be read stops nothing, and every result is at its event's place.
TEST_F(HttpTwinTest, TheItemsOfABatchStandAlone) {
  const HttpResponse response = Post(
      "/v1/events:emitBatch",
      R"({"events":[{"event_id":"a","balance_updated":{"user_id":1}},)"
      R"({"reward_earned":{"reward":{"idd":1}}},null,[],)"
      R"({"target":{"everyone":{}},"custom":{"name":"App\\Events\\X","payload":{"a":[0.1,null]}}},7]})");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json body = boost::json::parse(response.body);
  const auto& results = body.at("results").as_array();
  ASSERT_EQ(results.size(), 6u) << response.body;
  EXPECT_EQ(results[0].at("ok").at("cursor").as_string(), "testepoch-1");
  EXPECT_EQ(results[4].at("ok").at("cursor").as_string(), "testepoch-2");
  const std::pair<size_t, const char*> faults[] = {
      {1, "reward.idd"}, {2, "events[2]"}, {3, "events[3]"}, {5, "events[5]"}};
  for (const auto& [at, field] : faults) {
    const Json& error = results[at].at("error");
    EXPECT_EQ(error.at("code").as_int64(), 3);
    EXPECT_EQ(error.at("details").at(0).at("field_violations").at(0).at("field").as_string(),
              field);
  }
  EXPECT_EQ(house_.emitter.stats().refused[3].Value(), 4);
  EXPECT_EQ(house_.emitter.in_flight(), 0u);
}

TEST_F(HttpTwinTest, DeepNestingIsRefused) {
  std::string deep = R"({"target":{"everyone":{}},"custom":{"name":"App\\Events\\X","payload":)";
  for (int i = 0; i < 20'000; ++i) deep += R"({"a":)";
  EXPECT_EQ(Post("/v1/events:emit", deep).status, 400);
}

TEST_F(HttpTwinTest, ShowsEveryViolatedField) {
  const HttpResponse response =
      Post("/v1/events:emit",
           R"({"reward_earned":{"user_id":0,"reward":{"id":1,"type":"","amount":"5"}}})");
  EXPECT_EQ(response.status, 400);
  const Json body = boost::json::parse(response.body);
  EXPECT_EQ(body.at("code").as_int64(), 3);
  EXPECT_EQ(body.at("details").at(0).at("@type").as_string(),
            "type.googleapis.com/google.rpc.BadRequest");
  EXPECT_EQ(body.at("details").at(0).at("field_violations").as_array().size(), 3u);
}

TEST_F(HttpTwinTest, StatusesMatchTheCodes) {
  Post("/v1/events:emit", R"({"event_id":"e1","balance_updated":{"user_id":42}})");
  EXPECT_EQ(Post("/v1/events:emit", R"({"event_id":"e1","balance_updated":{"user_id":43}})").status,
            409);
  house_.Connect("c1", 42);
  house_.inbox.set_bound(0);
  const HttpResponse full = Post("/v1/events:emit", R"({"balance_updated":{"user_id":42}})");
  EXPECT_EQ(full.status, 429);
  EXPECT_EQ(HeaderOf(full, "Retry-After"), "1");
  EXPECT_THAT(full.body, HasSubstr(R"("retry_delay":"0.250s")"));
  house_.emitter.Drain();
  const HttpResponse draining = Post("/v1/events:emit", R"({"balance_updated":{"user_id":1}})");
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(HeaderOf(draining, "Retry-After"), "1");
}

TEST_F(HttpTwinTest, ABodyOverTheBoundIsTooLarge) {
  const HttpResponse response = Post("/v1/events:emit", std::string((size_t{4} << 20) + 1, ' '));
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, StartsWith(R"({"code":8,)"));
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "");
}

TEST_F(LateHttpTwinTest, AnswersWhenTheLogDoes) {
  house_.log.StartThread();
  EXPECT_THAT(Post("/v1/events:emit", R"({"balance_updated":{"user_id":42}})").body,
              HasSubstr(R"("cursor":"testepoch-1")"));
  EXPECT_THAT(
      Post("/v1/events:emitBatch", R"({"events":[{"balance_updated":{"user_id":42}}]})").body,
      HasSubstr(R"("cursor":"testepoch-2")"));
  house_.log.StopThread();
}

TEST_F(LateHttpTwinTest, AClientThatIsGoneDoesNoHarm) {
  const std::string body = R"({"balance_updated":{"user_id":42}})";
  client_->Send(absl::StrCat("POST /v1/events:emit HTTP/1.1\r\nHost: a\r\nContent-Length: ",
                             body.size(), "\r\nAuthorization: Bearer emit-key\r\n\r\n", body));
  ASSERT_TRUE(test::AwaitPending(house_.log, 1));
  client_.reset();
  server_.reset();
  house_.log.CompleteAll();
  EXPECT_EQ(house_.log.Head(), 1u);
  EXPECT_EQ(house_.emitter.in_flight(), 0u);
}

}  // namespace
}  // namespace msab
