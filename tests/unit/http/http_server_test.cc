#include "server/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/unit/http/http_client.h"

namespace msab {
namespace {

using test::HttpClient;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::string_view HeaderOf(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

HttpResponse Text(std::string body) { return {200, std::move(body), "text/plain", {}}; }

class HttpServerTest : public ::testing::Test {
 protected:
  void StartServer(HttpServer::Options options = {}) {
    options.listen = {"127.0.0.1", 0};
    std::vector<HttpRoute> routes;
    routes.push_back({"GET", "/hello", nullptr, [](HttpRequest request, HttpReply reply) {
                        reply(Text(absl::StrCat("hello ", request.query)));
                      }});
    routes.push_back({"POST", "/echo", nullptr, [](HttpRequest request, HttpReply reply) {
                        reply(Text(std::move(request.body)));
                      }});
    routes.push_back(
        {"POST", "/guarded",
         [](const HttpRequest& request) -> std::optional<HttpResponse> {
           if (request.Header("X-Pass") == "yes") return std::nullopt;
           return HttpError(400, "no pass");
         },
         [](HttpRequest request, HttpReply reply) { reply(Text(std::move(request.body))); }});
    routes.push_back({"GET", "/late", nullptr, [this](HttpRequest, HttpReply reply) {
                        absl::MutexLock lock(&mu_);
                        late_.push_back(std::move(reply));
                      }});
    routes.push_back({"GET", "/dropped", nullptr, [](HttpRequest, HttpReply) {}});
    auto server = HttpServer::Start(options, std::move(routes));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // Waits until `n` requests to /late are with their handler, and takes their replies.
  std::vector<HttpReply> TakeLate(size_t n) {
    absl::MutexLock lock(&mu_);
    const auto there = [this, n]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return late_.size() >= n; };
    EXPECT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20)));
    return std::exchange(late_, {});
  }

  absl::Mutex mu_;
  std::vector<HttpReply> late_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesOneConnectionAgainAndAgain) {
  StartServer();
  HttpClient client(server_->address());
  EXPECT_EQ(client.Do("GET", "/hello?you=1").body, "hello you=1");
  const HttpResponse echo = client.Do("POST", "/echo", "some body");
  EXPECT_EQ(echo.status, 200);
  EXPECT_EQ(echo.body, "some body");
  EXPECT_EQ(echo.content_type, "text/plain");
  EXPECT_EQ(client.Do("GET", "/hello").body, "hello ");
  EXPECT_EQ(server_->stats().connections.Value(), 1);
  EXPECT_EQ(server_->stats().by_status[200].Value(), 3);
}

TEST_F(HttpServerTest, SaysWhatTimeItShows) {
  StartServer();
  HttpClient client(server_->address());
  const absl::Time before = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
  const std::string date(HeaderOf(client.Do("GET", "/hello"), "Date"));
  absl::Time shown;
  std::string error;
  ASSERT_TRUE(absl::ParseTime("%a, %d %b %E4Y %H:%M:%S GMT", date, &shown, &error)) << date;
  EXPECT_GE(shown, before);
  EXPECT_LE(shown, absl::Now());
}

TEST_F(HttpServerTest, SaysWhichMethodsAPathTakes) {
  StartServer();
  HttpClient client(server_->address());
  const HttpResponse unknown = client.Do("GET", "/nowhere");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"code":5,"message":"no such path","details":[]})");
  const HttpResponse other = client.Do("DELETE", "/echo");
  EXPECT_EQ(other.status, 405);
  EXPECT_EQ(HeaderOf(other, "Allow"), "POST");
  EXPECT_EQ(HeaderOf(client.Do("POST", "/hello", "x"), "Allow"), "GET, HEAD");
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  StartServer();
  HttpClient client(server_->address());
  const HttpResponse head = client.Do("HEAD", "/hello");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(HeaderOf(head, "Content-Length"), "6");
  EXPECT_EQ(client.Do("GET", "/hello").body, "hello ");  // nothing of a body lay in between
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  StartServer();
  HttpClient client(server_->address());
  client.Send(
      "GET /late HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo"
      "GET /hello?3 HTTP/1.1\r\nHost: a\r\n\r\n");
  TakeLate(1)[0](Text("one"));
  EXPECT_EQ(client.Read().body, "one");
  EXPECT_EQ(client.Read().body, "two");
  EXPECT_EQ(client.Read().body, "hello 3");
}

TEST_F(HttpServerTest, LateAnswersFindTheirConnections) {
  StartServer();
  HttpClient first(server_->address());
  HttpClient second(server_->address());
  first.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  auto one = TakeLate(1);
  second.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  auto two = TakeLate(1);
  std::thread([&] { two[0](Text("second")); }).join();
  EXPECT_EQ(second.Read().body, "second");
  one[0](Text("first"));
  EXPECT_EQ(first.Read().body, "first");
}

TEST_F(HttpServerTest, ADroppedAnswerIsAnError) {
  StartServer();
  HttpClient client(server_->address());
  EXPECT_EQ(client.Do("GET", "/dropped").status, 500);
  EXPECT_EQ(client.Do("GET", "/hello").status, 200);
}

TEST_F(HttpServerTest, AnAnswerThatIsTooLateIsNobodysAnswer) {
  StartServer({.answer_timeout = 500ms});
  HttpClient client(server_->address());
  EXPECT_EQ(client.Do("GET", "/late").status, 504);
  auto first = TakeLate(1);
  client.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  auto second = TakeLate(1);
  first[0](Text("first"));
  second[0](Text("second"));
  EXPECT_EQ(client.Read().body, "second");
}

TEST_F(HttpServerTest, RefusesABodyThatIsTooLarge) {
  StartServer({.max_body = 100});
  {
    HttpClient client(server_->address());
    EXPECT_EQ(client.Do("POST", "/echo", std::string(100, 'x')).body, std::string(100, 'x'));
    const HttpResponse refused = client.Do("POST", "/echo", std::string(101, 'x'));
    EXPECT_EQ(refused.status, 413);
    EXPECT_THAT(refused.body, HasSubstr(R"("code":8)"));
    EXPECT_TRUE(client.ReadUntilClosed());
  }
  HttpClient chunked(server_->address());
  chunked.Send(absl::StrCat("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                            "60\r\n", std::string(0x60, 'x'), "\r\n60\r\n", std::string(0x60, 'x'),
                            "\r\n0\r\n\r\n"));
  EXPECT_EQ(chunked.Read().status, 413);
}

TEST_F(HttpServerTest, RefusesAHeadThatIsTooLarge) {
  StartServer({.max_head = 1024});
  HttpClient client(server_->address());
  EXPECT_EQ(client.Do("GET", "/hello", {}, {{"X-Long", std::string(2000, 'x')}}).status, 431);
  EXPECT_TRUE(client.ReadUntilClosed());
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
  StartServer();
  for (const std::string bytes :
       {"nonsense\r\n\r\n", "GET /hello HTTP/2.0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nbad header\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
    HttpClient client(server_->address());
    client.Send(bytes);
    EXPECT_EQ(client.Read().status, 400) << bytes;
    EXPECT_TRUE(client.ReadUntilClosed());
  }
}

TEST_F(HttpServerTest, TheGuardSpeaksBeforeTheBodyIsRead) {
  StartServer();
  {
    HttpClient client(server_->address());
    // The body never comes: the answer doesn't wait for it.
    client.Send("POST /guarded HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    EXPECT_EQ(client.Read().status, 400);
  }
  HttpClient client(server_->address());
  EXPECT_EQ(client.Do("POST", "/guarded", "in", {{"x-pass", "yes"}}).body, "in");
}

TEST_F(HttpServerTest, TellsAWaitingClientToGoOn) {
  StartServer();
  HttpClient client(server_->address());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadBytes(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_EQ(client.Read().body, "body");
}

TEST_F(HttpServerTest, KeepsToItsNumberOfConnections) {
  StartServer({.max_connections = 2});
  HttpClient first(server_->address());
  HttpClient second(server_->address());
  EXPECT_EQ(first.Do("GET", "/hello").status, 200);
  EXPECT_EQ(second.Do("GET", "/hello").status, 200);
  HttpClient third(server_->address());
  EXPECT_TRUE(third.ReadUntilClosed());
  EXPECT_EQ(server_->stats().refused_connections.Value(), 1);
  EXPECT_EQ(first.Do("GET", "/hello").status, 200);
}

TEST_F(HttpServerTest, ClosesIdleAndSlowConnections) {
  StartServer({.idle_timeout = 50ms, .io_timeout = 50ms});
  HttpClient idle(server_->address());
  EXPECT_TRUE(idle.ReadUntilClosed());
  HttpClient slow(server_->address());
  slow.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nb");
  EXPECT_TRUE(slow.ReadUntilClosed());
}

TEST_F(HttpServerTest, HonoursConnectionClose) {
  StartServer();
  HttpClient client(server_->address());
  EXPECT_EQ(client.Do("GET", "/hello", {}, {{"Connection", "close"}}).status, 200);
  EXPECT_TRUE(client.ReadUntilClosed());
}

TEST_F(HttpServerTest, StopAnswersWhatIsUnderWay) {
  StartServer();
  HttpClient idle(server_->address());
  EXPECT_EQ(idle.Do("GET", "/hello").status, 200);
  HttpClient busy(server_->address());
  busy.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  auto late = TakeLate(1);
  std::thread stopping([&] { server_->Stop(20s); });
  EXPECT_TRUE(idle.ReadUntilClosed());  // the server is stopping
  late[0](Text("in time"));
  EXPECT_EQ(busy.Read().body, "in time");
  EXPECT_TRUE(busy.ReadUntilClosed());
  stopping.join();
}

TEST_F(HttpServerTest, StopDoesNotWaitForEver) {
  StartServer();
  HttpClient busy(server_->address());
  busy.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  auto late = TakeLate(1);
  server_->Stop(10ms);
  EXPECT_TRUE(busy.ReadUntilClosed());
  late[0](Text("too late"));  // nobody is there
  server_.reset();
  late.clear();
}

TEST_F(HttpServerTest, AnAnswerAfterTheServerIsGoneIsHarmless) {
  StartServer();
  HttpClient busy(server_->address());
  busy.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\nGET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  auto late = TakeLate(1);
  server_.reset();
  late[0](Text("too late"));
}

TEST_F(HttpServerTest, NamesAnAddressThatIsTaken) {
  StartServer();
  HttpServer::Options options;
  options.listen = server_->address();
  const auto second = HttpServer::Start(options, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(options.listen.ToString()));
}

}  // namespace
}  // namespace msab
