#include "server/upstream/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "boost/json/parse.hpp"
#include "server/upstream/signer.h"
#include "tests/support/certificates.h"
#include "tests/support/web_server.h"

namespace msab {
namespace {

using test::WebServer;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

using Kind = WebhookResult::Kind;

const absl::Duration kPatience = absl::Seconds(30);

std::string Secret(char fill) {
  return absl::StrCat("whsec_", absl::Base64Escape(std::string(32, fill)));
}

// Accepts every command of a message.
WebServer::Response AcceptAll(const WebServer::Request& request) {
  std::vector<std::string> results;
  const boost::json::value body = boost::json::parse(request.body);
  for (const boost::json::value& command : body.at("commands").as_array()) {
    results.push_back(absl::StrCat(R"({"id":")", std::string(command.at("id").as_string()),
                                   R"(","status":"accepted"})"));
  }
  return {.body = absl::StrCat(R"({"results":[)", absl::StrJoin(results, ","), "]}")};
}

// The client over real sockets, against a server that does as it is told.
class ClientTest : public ::testing::Test {
 protected:
  ~ClientTest() override {
    client_.reset();
    Release();
    server_.reset();
  }

  void Serve(WebServer::Handler handler, WebServer::Options options = {}) {
    server_ = std::make_unique<WebServer>(
        std::move(options),
        [this, handler = std::move(handler)](const WebServer::Request& request) {
          {
            absl::MutexLock lock(&mu_);
            requests_.push_back(request);
          }
          return handler(request);
        });
  }
  // Accepts all, but not before Release.
  void ServeHeld() {
    held_ = true;
    Serve([this](const WebServer::Request& request) {
      absl::MutexLock lock(&gate_);
      gate_.Await(absl::Condition(
          +[](bool* held) { return !*held; }, &held_));
      return AcceptAll(request);
    });
  }
  void Release() {
    absl::MutexLock lock(&gate_);
    held_ = false;
  }
  std::string Url() const {
    return absl::StrCat("http://127.0.0.1:", server_->port(), "/relay/webhook?x=1");
  }
  void Connect(const std::string& url, WebhookClient::Options options = {}) {
    options.url = WebhookUrl::Parse(url).value();
    if (options.secrets.empty()) options.secrets = {Secret('a')};
    auto client = WebhookClient::Create(Clock::Real(), std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    client_->Start();
  }

  void Submit(int64_t user) {
    client_->Submit({.type = "gift:send", .user = user, .connection_id = "c", .data = "{}"},
                    [this](WebhookResult result) {
                      absl::MutexLock lock(&mu_);
                      results_.push_back(std::move(result));
                    });
  }
  std::vector<Kind> Await(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto there = [&] { return results_.size() >= count; };
    EXPECT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&there), kPatience));
    std::vector<Kind> kinds;
    for (const WebhookResult& result : results_) kinds.push_back(result.kind);
    return kinds;
  }
  Kind Ask(int64_t user = 1) {
    const size_t before = [&] {
      absl::MutexLock lock(&mu_);
      return results_.size();
    }();
    Submit(user);
    return Await(before + 1).back();
  }
  void AwaitRequests(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto there = [&] { return requests_.size() >= count; };
    EXPECT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&there), kPatience));
  }
  std::vector<WebServer::Request> requests() {
    absl::MutexLock lock(&mu_);
    return requests_;
  }

  absl::Mutex mu_;
  std::vector<WebServer::Request> requests_;
  std::vector<WebhookResult> results_;
  absl::Mutex gate_;
  bool held_ = false;
  std::unique_ptr<WebServer> server_;
  std::unique_ptr<WebhookClient> client_;
};

TEST_F(ClientTest, SendsWhatTheContractSaysAndKeepsTheConnection) {
  Serve(AcceptAll);
  Connect(Url(), {.secrets = {Secret('a'), Secret('b')}});
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_EQ(server_->accepted(), 1);
  const WebServer::Request request = requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/relay/webhook?x=1");
  EXPECT_EQ(request.headers.at("host"), absl::StrCat("127.0.0.1:", server_->port()));
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_THAT(request.headers.at("user-agent"), HasSubstr("msab-relay/"));
  const std::string id = request.headers.at("webhook-id");
  EXPECT_THAT(id, MatchesRegex("msg_[0-9a-f-]{36}"));
  EXPECT_NE(id, requests().at(1).headers.at("webhook-id"));
  const int64_t timestamp = std::stoll(request.headers.at("webhook-timestamp"));
  EXPECT_LE(std::abs(timestamp - Clock::Real().WallMillis() / 1000), 60);
  EXPECT_EQ(request.headers.at("webhook-signature"),
            WebhookSigner::Create({Secret('a'), Secret('b')})->Sign(id, timestamp, request.body));
}

TEST_F(ClientTest, AConnectionThatThePeerEndsIsReplaced) {
  Serve([](const WebServer::Request& request) {
    WebServer::Response response = AcceptAll(request);
    response.close = request.connection == 1;
    return response;
  });
  Connect(Url());
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_EQ(server_->accepted(), 2);
  server_->CutAll();
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_EQ(server_->accepted(), 3);
}

TEST_F(ClientTest, ConnectionsAreBounded) {
  ServeHeld();
  Connect(Url(), {.queue = {.max_in_flight = 3}});
  for (int64_t user = 1; user <= 20; ++user) {
    Submit(user);
    if (user <= 3) AwaitRequests(static_cast<size_t>(user));
  }
  EXPECT_EQ(client_->stats().in_flight.Value(), 3);
  Release();
  EXPECT_THAT(Await(20), Each(Kind::kAccepted));
  EXPECT_EQ(server_->accepted(), 3);
  // The last is counted as answered once its outcome has been told.
  for (const absl::Time end = absl::Now() + kPatience;
       client_->unanswered() > 0 && absl::Now() < end;) {
    std::this_thread::yield();
  }
  EXPECT_EQ(client_->unanswered(), 0);
}

TEST_F(ClientTest, BrokenAnswersAreRetried) {
  std::atomic<int> n{0};
  Serve([&](const WebServer::Request& request) -> WebServer::Response {
    switch (++n) {
      case 1:
        return {.hang_up = true};
      case 2:
        return {.raw = "ICY 200 OK\r\n\r\n"};
      case 3:
        return {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"results\":"};
      case 4:
        return {.body = "<html>"};
      default:
        return AcceptAll(request);
    }
  });
  Connect(Url());
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_THAT(requests(), SizeIs(5));
  EXPECT_EQ(client_->stats().retries.Value(), 4);
  EXPECT_EQ(client_->stats().attempts[WebhookStats::kBroken].Value(), 1);
  EXPECT_EQ(client_->stats().attempts[WebhookStats::kNoAnswer].Value(), 3);
}

TEST_F(ClientTest, UnderstandsWhatHttpAllows) {
  std::atomic<int> n{0};
  Serve([&](const WebServer::Request& request) -> WebServer::Response {
    const std::string body = AcceptAll(request).body;
    switch (++n) {
      case 1:  // the end of the connection ends the body
        return {.raw = absl::StrCat("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body)};
      case 2: {
        const size_t half = body.size() / 2;
        return {.raw = absl::StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                    absl::Hex(half), "\r\n", body.substr(0, half), "\r\n",
                                    absl::Hex(body.size() - half), "\r\n", body.substr(half),
                                    "\r\n0\r\n\r\n")};
      }
      default:  // informational answers come first
        return {.raw = absl::StrCat(
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body)};
    }
  });
  Connect(Url());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(), Kind::kAccepted) << i;
  EXPECT_THAT(requests(), SizeIs(3)) << "none was repeated";
}

TEST_F(ClientTest, AnAnswerWithoutEndIsNone) {
  Serve([](const WebServer::Request& request) -> WebServer::Response {
    if (request.connection == 1) return {.body = std::string(size_t{2} << 20, ' ')};
    return AcceptAll(request);
  });
  Connect(Url());
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_THAT(requests(), SizeIs(2));
}

TEST_F(ClientTest, RedirectsAreNotFollowed) {
  Serve([this](const WebServer::Request&) -> WebServer::Response {
    return {.status = 302, .headers = {{"Location", Url()}}};
  });
  Connect(Url());
  EXPECT_EQ(Ask(), Kind::kUnavailable);
  EXPECT_THAT(requests(), SizeIs(1));
  EXPECT_THAT(std::string(client_->Health().message()), HasSubstr("302"));
}

TEST_F(ClientTest, NobodyListens) {
  Serve(AcceptAll);
  const std::string url = Url();
  server_.reset();
  Connect(url, {.queue = {.deadline_ms = 900}});
  EXPECT_EQ(Ask(), Kind::kUnavailable);
  EXPECT_THAT(std::string(client_->Health().message()), HasSubstr("connecting"));
  EXPECT_GE(client_->stats().attempts[WebhookStats::kNoAnswer].Value(), 3);
}

TEST_F(ClientTest, AnUnknownNameIsAFailureLikeOthers) {
  Connect("http://no-such-host.invalid/", {.queue = {.deadline_ms = 300}});
  EXPECT_EQ(Ask(), Kind::kUnavailable);
}

TEST_F(ClientTest, StopAnswersAndEnds) {
  ServeHeld();
  Connect(Url());
  Submit(1);
  Submit(1);
  client_->Stop();
  EXPECT_THAT(Await(2), ElementsAre(Kind::kUnavailable, Kind::kUnavailable));
  EXPECT_EQ(Ask(), Kind::kUnavailable);
  EXPECT_EQ(client_->unanswered(), 0);
}

TEST_F(ClientTest, GivesUpAndRefusesOnDemand) {
  ServeHeld();
  Connect(Url());
  Submit(1);
  client_->GiveUp();
  EXPECT_THAT(Await(1), ElementsAre(Kind::kUnavailable));
  client_->Refuse();
  EXPECT_EQ(Ask(2), Kind::kUnavailable);
  Release();
  EXPECT_EQ(Await(3).back(), Kind::kAccepted) << "the late yes";
}

class TlsTest : public ClientTest {
 protected:
  // A server for `name`, and a client that believes `ca`.
  void Start(const std::string& name, const test::Certificate& ca, const std::string& host) {
    const test::Certificate own = test::MakeCertificate(name, &ca_);
    Serve(AcceptAll, {.certificate = own.certificate, .key = own.key});
    file_ = absl::StrCat(testing::TempDir(), "webhook-ca-", getpid(), ".pem");
    std::ofstream(file_) << ca.certificate;
    Connect(absl::StrCat("https://", host, ":", server_->port(), "/"),
            {.ca_file = file_, .queue = {.deadline_ms = deadline_}});
  }
  ~TlsTest() override { std::remove(file_.c_str()); }

  const test::Certificate ca_ = test::MakeCertificate("authority", nullptr);
  std::string file_;
  int64_t deadline_ = 5'000;
};

TEST_F(TlsTest, IsSpokenToOneThatItsAuthorityVouchesFor) {
  Start("localhost", ca_, "localhost");
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_EQ(Ask(), Kind::kAccepted);
  EXPECT_EQ(server_->accepted(), 1);
}

TEST_F(TlsTest, AnotherAuthorityIsNotBelieved) {
  deadline_ = 900;
  Start("localhost", test::MakeCertificate("authority", nullptr), "localhost");
  EXPECT_EQ(Ask(), Kind::kUnavailable);
  EXPECT_THAT(std::string(client_->Health().message()), HasSubstr("certificate"));
  EXPECT_THAT(requests(), SizeIs(0));
}

TEST_F(TlsTest, AnotherNameIsNotBelieved) {
  deadline_ = 900;
  Start("other.example", ca_, "localhost");
  EXPECT_EQ(Ask(), Kind::kUnavailable);
  EXPECT_THAT(requests(), SizeIs(0));
}

TEST_F(TlsTest, PlainTextIsNotSpokenToATlsServer) {
  deadline_ = 400;
  Start("localhost", ca_, "localhost");
  Connect(Url(), {.queue = {.deadline_ms = 400}});
  EXPECT_EQ(Ask(), Kind::kUnavailable);
}

TEST(ClientOptionsTest, FaultsNameTheSetting) {
  WebhookClient::Options options;
  options.url = WebhookUrl::Parse("https://a/").value();
  options.secrets = {"hush"};
  EXPECT_THAT(std::string(WebhookClient::Create(Clock::Real(), options).status().message()),
              HasSubstr("laravel.webhook_secrets"));
  options.secrets = {Secret('a')};
  options.ca_file = "/absent";
  EXPECT_THAT(std::string(WebhookClient::Create(Clock::Real(), options).status().message()),
              HasSubstr("laravel.ca_file"));
}

}  // namespace
}  // namespace msab
