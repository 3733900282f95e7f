#include "server/demo/demo_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>

#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "server/demo/demo_files.h"
#include "server/session/token_verifier.h"
#include "tests/unit/http/http_client.h"

namespace msab {
namespace {

using test::HttpClient;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSecret = "a-secret-of-more-than-thirty-two-bytes";

class DemoPageTest : public ::testing::Test {
 protected:
  void Serve(DemoPage::Options options) {
    page_ = std::make_unique<DemoPage>(std::move(options), clock_);
    HttpServer::Options http;
    http.listen = {"127.0.0.1", 0};
    auto server = HttpServer::Start(http, page_->Routes());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  void SetUp() override { Serve({{"127.0.0.1", 8080}, "the-emit-key", kSecret, ""}); }

  // What a request answers that names `host` and has more headers beside; "" sends none.
  HttpResponse Get(const std::string& path, const std::string& host, const std::string& more = "") {
    HttpClient client(server_->address());
    client.Send("GET " + path + " HTTP/1.1\r\n" + (host.empty() ? "" : "Host: " + host + "\r\n") +
                more + "\r\n");
    return client.Read();
  }
  std::string Here() const { return server_->address().ToString(); }
  std::string Port() const { return std::to_string(server_->address().port); }

  static std::string HeaderOf(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  ManualClock clock_;
  std::unique_ptr<DemoPage> page_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(DemoPageTest, ServesThePage) {
  const HttpResponse page = Get("/demo/", Here());
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("<!doctype html>"));
  for (const DemoFile& file : DemoFiles()) {
    if (file.name == "index.html") continue;
    const HttpResponse part = Get("/demo/" + std::string(file.name), Here());
    EXPECT_EQ(part.status, 200) << file.name;
    EXPECT_EQ(part.body, file.text) << file.name;
    EXPECT_NE(part.content_type, "application/octet-stream") << file.name;
  }
  for (const char* path : {"/", "/demo"}) {
    const HttpResponse there = Get(path, Here());
    EXPECT_EQ(there.status, 302);
    EXPECT_EQ(HeaderOf(there, "Location"), "/demo/");
  }
}

TEST_F(DemoPageTest, LetsThePageReachTheRelayAndNobodyElse) {
  EXPECT_THAT(HeaderOf(Get("/demo/", Here()), "Content-Security-Policy"),
              AllOf(HasSubstr("default-src 'none'"), HasSubstr("frame-ancestors 'none'"),
                    HasSubstr("connect-src 'self' ws://127.0.0.1:8080/ws;")));
}

TEST_F(DemoPageTest, SetupSaysWhereAndWho) {
  const boost::json::value setup = boost::json::parse(Get("/demo/setup", Here()).body);
  EXPECT_EQ(setup.at("ws"), "ws://127.0.0.1:8080/ws");
  EXPECT_EQ(setup.at("emit_key"), "the-emit-key");
  EXPECT_EQ(setup.at("room"), "42");
  ASSERT_EQ(setup.at("users").as_array().size(), 3u);
  EXPECT_EQ(setup.at("users").at(0), (boost::json::value{{"id", 42}, {"name", "Amira"}}));
}

// The relay compares the page's host with the WebSocket's where no origins are configured.
TEST_F(DemoPageTest, ThePagesNameForThisMachineIsTheWebSocketsToo) {
  const auto ws = [this](const std::string& host) {
    const boost::json::value setup = boost::json::parse(Get("/demo/setup", host).body);
    return std::string(setup.at("ws").as_string());
  };
  EXPECT_EQ(ws("localhost:" + Port()), "ws://localhost:8080/ws");
  EXPECT_EQ(ws("127.0.0.1:1"), "ws://127.0.0.1:8080/ws");  // a forwarded port
  Serve({{"0.0.0.0", 8081}, "k", kSecret, ""});
  EXPECT_EQ(ws("127.0.0.1:" + Port()), "ws://127.0.0.1:8081/ws");
  EXPECT_EQ(ws("[::1]:" + Port()), "ws://[::1]:8081/ws");
  EXPECT_EQ(ws("[::1]"), "ws://[::1]:8081/ws");
  Serve({{"192.0.2.7", 8082}, "k", kSecret, ""});
  EXPECT_EQ(ws("localhost:" + Port()), "ws://192.0.2.7:8082/ws");
}

TEST_F(DemoPageTest, ADemoUsersTokenIsGoodForTheRelay) {
  Serve({{"127.0.0.1", 8080}, "k", kSecret, "relay"});
  const boost::json::value answer = boost::json::parse(Get("/demo/token?user=44", Here()).body);
  TokenVerifier::Options options;
  options.secrets = {kSecret};
  options.audience = "relay";
  options.profile_claims = {"name"};
  const auto verifier = TokenVerifier::Create(options);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  const std::string token(answer.at("token").as_string());
  const auto verdict = (*verifier)->Verify(token, clock_.WallMillis());
  ASSERT_TRUE(std::holds_alternative<Identity>(verdict));
  const Identity& identity = std::get<Identity>(verdict);
  EXPECT_EQ(identity.user, 44);
  EXPECT_THAT(identity.profile, HasSubstr(R"("name":"Chloé")"));
  EXPECT_EQ(identity.expires_at, clock_.WallMillis() + DemoPage::kTokenSeconds * 1000);
  EXPECT_EQ(answer.at("expires_at").as_int64(), identity.expires_at);
}

TEST_F(DemoPageTest, NobodyElseGetsAToken) {
  for (const char* query : {"", "?", "?user=", "?user=1", "?user=420", "?user=42&user=1"}) {
    const HttpResponse refused = Get(std::string("/demo/token") + query, Here());
    EXPECT_EQ(refused.status, 400) << query;
    EXPECT_THAT(refused.body, AllOf(HasSubstr("42, 43, 44"), Not(HasSubstr("token\":"))));
  }
}

// Each of the ways in which another page, or another machine behind a proxy, would come.
class DemoGuardTest : public DemoPageTest {
 protected:
  void ExpectRefused(const std::string& host, const std::string& more = "") {
    for (const char* path : {"/", "/demo/", "/demo/setup", "/demo/token?user=42"}) {
      const HttpResponse refused = Get(path, host, more);
      EXPECT_EQ(refused.status, 403) << host << " " << more << " " << path;
      EXPECT_THAT(refused.body, AllOf(Not(HasSubstr("the-emit-key")), Not(HasSubstr("token\":"))));
    }
  }
  void ExpectServed(const std::string& host, const std::string& more = "") {
    EXPECT_EQ(Get("/demo/setup", host, more).status, 200) << host << " " << more;
  }
};

TEST_F(DemoGuardTest, OnlyThisMachinesOwnNamesAreAnswered) {
  for (const char* host : {"127.0.0.1:9090", "127.0.0.1", "127.8.9.10:1", "localhost:9090",
                           "LocalHost", "[::1]:9090", "[::1]"}) {
    ExpectServed(host);
  }
  for (const char* host :
       {"", "attacker.example:9090", "attacker.example", "localhost.attacker.example:9090",
        "127.0.0.1.attacker.example:9090", "192.0.2.1:9090", "0.0.0.0:9090", "[::]:9090",
        "127.0.0.1@attacker.example", "[::1", "[", ":9090", "2130706433:9090"}) {
    ExpectRefused(host);
  }
  ExpectRefused(Here(), "Host: attacker.example\r\n");
}

TEST_F(DemoGuardTest, OtherSitesPagesAreNotAnswered) {
  ExpectServed(Here(), "Sec-Fetch-Site: same-origin\r\nOrigin: http://" + Here() + "\r\n");
  ExpectServed(Here(), "Sec-Fetch-Site: none\r\n");
  ExpectServed(Here(), "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: document\r\n");  // a link
  for (const char* site : {"cross-site", "same-site"}) {
    for (const char* dest : {"", "Sec-Fetch-Dest: script\r\n", "Sec-Fetch-Dest: iframe\r\n"}) {
      ExpectRefused(Here(), std::string("Sec-Fetch-Site: ") + site + "\r\n" + dest);
    }
  }
  for (const char* origin : {"https://attacker.example", "null", "http://127.0.0.1:1"}) {
    ExpectRefused(Here(), std::string("Origin: ") + origin + "\r\n");
  }
}

TEST_F(DemoGuardTest, NothingIsServedThroughAProxy) {
  for (const char* header :
       {"Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1", "Via: 1.1 proxy"}) {
    ExpectRefused(Here(), std::string(header) + "\r\n");
  }
}

}  // namespace
}  // namespace msab
