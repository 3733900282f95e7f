#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <memory>
#include <string>

#include "server/admin/health_pages.h"
#include "server/admin/metric_sources.h"
#include "server/admin/metrics.h"
#include "tests/unit/http/http_client.h"
#include "tests/unit/ingress/ingress_fixture.h"

namespace msab {
namespace {

using test::HttpClient;
using ::testing::HasSubstr;
using ::testing::Not;

class AdminPagesTest : public ::testing::Test {
 protected:
  void StartServer() {
    std::vector<HttpRoute> routes = health_.Routes();
    routes.push_back(metrics_.Route());
    HttpServer::Options options;
    options.listen = {"127.0.0.1", 0};
    auto server = HttpServer::Start(options, std::move(routes));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  HttpResponse Get(const std::string& path) {
    return HttpClient(server_->address()).Do("GET", path);
  }

  HealthPages health_;
  Metrics metrics_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(AdminPagesTest, ReadinessNamesEachThing) {
  absl::Status log = absl::OkStatus();
  absl::Status laravel = absl::OkStatus();
  health_.Add("log", HealthPages::Need::kRequired, [&] { return log; });
  health_.Add("laravel", HealthPages::Need::kHelpful, [&] { return laravel; });
  StartServer();
  HttpResponse ready = Get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, R"({"ready":true,"checks":[{"name":"log","ok":true,"required":true},)"
                        R"({"name":"laravel","ok":true,"required":false}]})");

  laravel = absl::UnavailableError("401 from the webhook");
  ready = Get("/readyz");
  EXPECT_EQ(ready.status, 200);  // degraded, not gone
  EXPECT_THAT(ready.body, HasSubstr(R"("ok":false,"required":false,"message":"401 from the)"));
  EXPECT_TRUE(health_.Ready());

  log = absl::UnavailableError("out of reach");
  ready = Get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr(R"({"ready":false,)"));
  EXPECT_FALSE(health_.Ready());
  EXPECT_EQ(Get("/healthz").status, 200);  // alive all the same
}

// Everything that the relay shows, after something of each kind has happened.
class ScrapeTest : public AdminPagesTest {
 protected:
  void SetUp() override {
    house_.Emit(R"({"event_id":"e","balance_updated":{"user_id":42}})");
    house_.Emit(R"({"event_id":"e","balance_updated":{"user_id":42}})");
    house_.Emit(R"({"custom":{"name":"App\\Events\\Secret","payload":{}},"target":{"user_id":7}})");
    house_.Emit("{}");
    shard_.connections.Add(3);
    other_shard_.connections.Add(4);
    shard_.closed[static_cast<size_t>(CloseCause::kSlowConsumer)].Add(2);
    metrics_.Add([this](auto& families) { CollectBuild(*house_.catalog, families); });
    metrics_.Add([](auto& families) { CollectProcess(families); });
    metrics_.Add([this](auto& families) { CollectEmitter(house_.emitter, families); });
    metrics_.Add([this](auto& families) { CollectEventService(service_, families); });
    metrics_.Add([this](auto& families) { CollectDispatcher(house_.dispatcher, families); });
    metrics_.Add([this](auto& families) { CollectLog(house_.log, families); });
    metrics_.Add([this](auto& families) {
      const ShardView views[] = {{&shard_, &house_.inbox}, {&other_shard_, &house_.inbox}};
      CollectShards(views, families);
    });
    metrics_.Add([this](auto& families) { CollectHttp(*server_, families); });
    StartServer();
    Get("/healthz");
    text_ = Get("/metrics").body;
  }

  test::IngressHouse<> house_;
  EventService service_{house_.emitter, house_.keys, {}};
  ShardCounters shard_;
  ShardCounters other_shard_;
  std::string text_;
};

TEST_F(ScrapeTest, ShowsWhatHappened) {
  for (const char* line : {
           "\nmsab_emits_accepted_total{event=\"balance.updated\"} 1\n",
           "\nmsab_emits_accepted_total{event=\"App\\\\Events\\\\*\"} 1\n",
           "\nmsab_emits_accepted_total{event=\"gift:error\"} 0\n",
           "\nmsab_emits_refused_total{code=\"INVALID_ARGUMENT\"} 1\n",
           "\nmsab_emits_refused_total{code=\"UNAVAILABLE\"} 0\n",
           "\nmsab_emits_duplicate_total 1\n",
           "\nmsab_emits_unreached_total 2\n",
           "\nmsab_log_entries 2\n",
           "\nmsab_log_head 2\n",
           "\nmsab_connections 7\n",
           "\nmsab_connections_closed_total{cause=\"slow_consumer\"} 2\n",
           "\nmsab_shard_inbox_items{shard=\"1\"} 0\n",
           "\nmsab_http_responses_total{status=\"200\"} 1\n",
           "# TYPE msab_connections gauge\n",
           "# HELP msab_emits_accepted_total ",
       }) {
    EXPECT_THAT(text_, HasSubstr(line));
  }
  EXPECT_THAT(text_, Not(HasSubstr("Secret")));  // a custom event's own name is no label
}

TEST_F(ScrapeTest, EveryNameIsTheRelaysOwn) {
  for (const auto& family : metrics_.Collect()) {
    EXPECT_THAT(family.name, ::testing::StartsWith("msab_"));
    EXPECT_THAT(family.help, Not(::testing::IsEmpty())) << family.name;
    EXPECT_EQ(family.type == prometheus::MetricType::Counter,
              family.name.size() > 6 && family.name.ends_with("_total"))
        << family.name;
  }
}

TEST_F(ScrapeTest, PromtoolAgrees) {
  FILE* const promtool = popen("promtool check metrics 2>&1", "w");
  ASSERT_NE(promtool, nullptr);
  ASSERT_EQ(fwrite(text_.data(), 1, text_.size(), promtool), text_.size());
  const int status = pclose(promtool);
  ASSERT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 127)
      << "promtool is missing: scripts/deps installs it";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace msab
