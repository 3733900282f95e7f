// What operators see: health, metrics, logs, and a configuration that says what is wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/grpc_door.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class OperationsTest : public RelayTest {
 protected:
  HttpResponse Get(const std::string& target) {
    return Fetch(relay().host(), relay().http_port(), "GET", target);
  }
};

TEST_F(OperationsTest, HealthNeedsNoKey) {
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(GrpcDoor(relay().grpc_address(), "").Health(), "SERVING");
}

TEST_F(OperationsTest, MetricsAreWellFormed) {
  Client client = Connect(101, {"42"});
  Emit(Marker(101, 1));
  const HttpResponse response = Get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers.at("content-type"), HasSubstr("text/plain"));
  const RunResult check = RunProgram("/usr/bin/promtool", {"check", "metrics"}, response.body);
  EXPECT_EQ(check.exit_code, 0) << check.output << check.errors;
}

TEST_F(OperationsTest, TheConfigurationNamesItsFault) {
  const auto fault = [](RelayOptions options) {
    options.arguments = {"--check-config"};
    options.settings.try_emplace("auth.api_keys", absl::StrCat("laravel:", kApiKey));
    options.settings.try_emplace("auth.jwt_secrets", kJwtSecret);
    const RunResult run = RunRelay(options);
    EXPECT_NE(run.exit_code, 0);
    EXPECT_NE(run.exit_code, -2);
    EXPECT_THAT(run.errors + run.output, Not(HasSubstr(kJwtSecret)));
    return run.errors + run.output;
  };
  EXPECT_THAT(fault({.settings = {{"auth.api_keys", ""}}}), HasSubstr("auth.api_keys"));
  EXPECT_THAT(fault({.settings = {{"auth.jwt_secrets", ""}}}), HasSubstr("auth.jwt_secrets"));
  EXPECT_THAT(fault({.settings = {{"auth.jwt_secrets", "short"}}}),
              AllOf(HasSubstr("MSAB_JWT_SECRETS"), HasSubstr("32")));
  EXPECT_THAT(fault({.settings = {{"ws.high_water", "many"}}}), HasSubstr("MSAB_WS_HIGH_WATER"));
  EXPECT_THAT(fault({.settings = {{"ws.ping_interval", "25 parsecs"}}}),
              HasSubstr("MSAB_WS_PING_INTERVAL"));
  EXPECT_THAT(fault({.settings = {{"ws.lisen", "127.0.0.1:1"}}}), HasSubstr("MSAB_WS_LISEN"));
  EXPECT_THAT(fault({.settings = {{"ws.listen", "nowhere"}}}), HasSubstr("MSAB_WS_LISTEN"));
  EXPECT_THAT(fault({.settings = {{"log.url", "redis://x"}}}), HasSubstr("MSAB_LOG_URL"));
  EXPECT_THAT(fault({.settings = {{"auth.jwt_keys_file", "/nonexistent.pem"}}}),
              HasSubstr("MSAB_JWT_KEYS_FILE"));
  EXPECT_THAT(fault({.files = {{"auth.jwt_keys_file", "not PEM"}}}),
              HasSubstr("MSAB_JWT_KEYS_FILE"));
  EXPECT_THAT(fault({.toml = "[ws]\nlisen = \"127.0.0.1:1\"\n"}),
              AllOf(HasSubstr("relay.toml"), HasSubstr("ws.lisen")));
  EXPECT_THAT(fault({.toml = "[ws]\nhigh_water = true\n"}),
              AllOf(HasSubstr("relay.toml"), HasSubstr("ws.high_water")));
  EXPECT_THAT(fault({.toml = "[ws\n"}), HasSubstr("relay.toml"));
  EXPECT_THAT(fault({.toml = "[[custom_events]]\nname = \"welcome\"\naudience = [\"user\"]\nclass "
                             "= \"durable\"\n"}),
              HasSubstr("welcome"));
  EXPECT_THAT(
      fault({.toml = "[[custom_events]]\nname = \"reward.earned\"\naudience = [\"user\"]\nclass = "
                     "\"durable\"\n"}),
      HasSubstr("reward.earned"));
}

TEST_F(OperationsTest, AGoodConfigurationPasses) {
  const RunResult run = RunRelay({.settings = {{"auth.api_keys", absl::StrCat("laravel:", kApiKey)},
                                               {"auth.jwt_secrets", kJwtSecret}},
                                  .toml = "[ws]\nhigh_water = \"64KiB\"\nping_interval = \"10s\"\n",
                                  .arguments = {"--check-config"}});
  EXPECT_EQ(run.exit_code, 0) << run.errors;
}

TEST_F(OperationsTest, PrintsWhatIsInForceAndNoSecret) {
  const RunResult run = RunRelay({.settings = {{"auth.api_keys", absl::StrCat("laravel:", kApiKey)},
                                               {"auth.jwt_secrets", kJwtSecret},
                                               {"ws.ping_interval", "7s"}},
                                  .toml = "[ws]\nping_interval = \"9s\"\nping_timeout = \"11s\"\n",
                                  .arguments = {"--print-config"}});
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("7s")) << "the environment beats the file";
  EXPECT_THAT(run.output, HasSubstr("11s"));
  EXPECT_THAT(run.output, Not(HasSubstr("9s")));
  EXPECT_THAT(run.output, HasSubstr("laravel"));
  EXPECT_THAT(run.output + run.errors, Not(HasSubstr(kApiKey)));
  EXPECT_THAT(run.output + run.errors, Not(HasSubstr(kJwtSecret)));
}

TEST_F(OperationsTest, SaysItsVersion) {
  const RunResult run = RunRelay({.arguments = {"--version"}});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.output, testing::ContainsRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST_F(OperationsTest, RefusesArgumentsItDoesNotKnow) {
  EXPECT_NE(RunRelay({.arguments = {"--no-such-flag"}}).exit_code, 0);
  EXPECT_NE(RunRelay({.arguments = {"--config", "/nonexistent.toml"}}).exit_code, 0);
}

TEST_F(OperationsTest, TheLogTellsOfLivesAndRefusalsButNoSecrets) {
  Start({.settings = {{"drain.timeout", "2s"}}});
  const std::string token = UserToken(101);
  Client header = Open({.token = token});
  const std::string connection = header.connection_id();
  Client query = Open({.query = "token=" + token});
  query.Welcome();
  Client bad = Open({.query = "token=" + token + "x"});
  bad.CloseCode();
  Emit(R"({"reward_earned":{"user_id":101,"reward":{"id":1,"type":"t","amount":"31337",)"
       R"("description":"payload-secret"}}})");
  EXPECT_FALSE(
      door()
          .Emit(R"({"event_id":"refused-emit","config_invalidate":{"type":"payload-secret"}})")
          .ok());
  OpenDoor(DoorKind::kTwin, relay(), "wrong-key-secret")->Emit(Marker(1, 1));
  header.Send(
      R"({"id":1,"event":"chat:message","data":{"roomId":"42","content":"payload-secret"}})");
  header.Send("payload-secret, not JSON");
  EXPECT_EQ(header.CloseCode(), 4502);
  // A line per connection's life, with its end.
  EXPECT_TRUE(Await([&] { return relay().Log().find(connection) != std::string::npos; }));
  relay().Terminate();
  EXPECT_EQ(relay().WaitForExit(), 0);
  const std::string log = relay().Log();
  EXPECT_THAT(log, HasSubstr("4502"));
  EXPECT_THAT(log, HasSubstr("INVALID_ARGUMENT")) << "a line per refused emit";
  for (const std::string& secret :
       {token, token.substr(token.rfind('.')), std::string("payload-secret"), std::string("31337"),
        std::string(kApiKey), std::string(kJwtSecret), std::string("wrong-key-secret")}) {
    EXPECT_THAT(log, Not(HasSubstr(secret)));
  }
}

}  // namespace
}  // namespace msab::e2e
