// The public door: who is let in, from where, and what the others are told.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/raw_socket.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

class DoorTest : public RelayTest {
 protected:
  // The welcome's user, or the close code.
  int64_t Enter(const Hello& hello) {
    Client client = Open(hello);
    if (!client.socket().open()) return client.socket().http_status();
    const std::optional<std::string> first = client.socket().Receive();
    if (first.has_value()) return Number(At(ParseJson(*first), "data"), "userId");
    return client.socket().close_code();
  }

  int64_t EnterFrom(const std::string& origin) {
    return Enter({.token = UserToken(101), .headers = {{"Origin", origin}}});
  }

  HttpResponse Upgrade(const std::string& target, const Headers& changes = {},
                       const std::string& method = "GET") {
    Headers headers{{"Upgrade", "websocket"},
                    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                    {"Sec-WebSocket-Version", "13"}};
    for (const auto& change : changes) {
      std::erase_if(headers, [&](const auto& header) { return header.first == change.first; });
      if (!change.second.empty()) headers.push_back(change);
    }
    RawSocket socket(relay().host(), relay().ws_port());
    std::string request = absl::StrCat(method, " ", target,
                                       " HTTP/1.1\r\nHost: relay.example\r\n"
                                       "Connection: Upgrade\r\n");
    for (const auto& [name, value] : headers) absl::StrAppend(&request, name, ": ", value, "\r\n");
    socket.Send(request + "\r\n");
    const size_t end = socket.ReadThrough("\r\n\r\n");
    return end == std::string::npos ? HttpResponse{} : ParseHttpHead(socket.Take(end));
  }
};

TEST_F(DoorTest, WithoutASettingOnlyTheSameHostIsAnOrigin) {
  const std::string host = absl::StrCat(relay().host(), ":", relay().ws_port());
  EXPECT_EQ(EnterFrom("http://" + host), 101);
  EXPECT_EQ(EnterFrom("https://" + host), 101);
  EXPECT_EQ(EnterFrom("https://evil.example"), 4503);
  EXPECT_EQ(EnterFrom("https://" + relay().host() + ".evil.example"), 4503);
  EXPECT_EQ(EnterFrom("null"), 4503);
  EXPECT_EQ(Enter({.token = UserToken(101)}), 101) << "no Origin: not a browser";
}

TEST_F(DoorTest, ListedOriginsAreExact) {
  Start({.settings = {{"ws.allowed_origins",
                       "https://app.example,capacitor://localhost,https://localhost"}}});
  EXPECT_EQ(EnterFrom("https://app.example"), 101);
  EXPECT_EQ(EnterFrom("capacitor://localhost"), 101);
  EXPECT_EQ(EnterFrom("https://localhost"), 101);
  EXPECT_EQ(EnterFrom("http://app.example"), 4503);
  EXPECT_EQ(EnterFrom("https://app.example:8443"), 4503);
  EXPECT_EQ(EnterFrom("https://app.example.evil"), 4503);
  EXPECT_EQ(EnterFrom("https://sub.app.example"), 4503);
  EXPECT_EQ(EnterFrom("null"), 4503);
}

TEST_F(DoorTest, AStarIsAnyOriginAndNullOnlyIfListed) {
  Start({.settings = {{"ws.allowed_origins", "*"}}});
  EXPECT_EQ(EnterFrom("https://anything.example"), 101);
  Start({.settings = {{"ws.allowed_origins", "null"}}});
  EXPECT_EQ(EnterFrom("null"), 101);
  EXPECT_EQ(EnterFrom("https://anything.example"), 4503);
}

TEST_F(DoorTest, OriginIsRefusedWithItsReason) {
  Client client = Open({.token = UserToken(101), .headers = {{"Origin", "https://evil.example"}}});
  EXPECT_EQ(client.CloseCode(), 4503);
  EXPECT_EQ(client.CloseReason(), "origin not allowed");
}

TEST_F(DoorTest, HttpStatusesBeforeTheUpgrade) {
  EXPECT_EQ(Upgrade("/ws").status, 101);
  EXPECT_EQ(Upgrade("/nothing").status, 404);
  EXPECT_EQ(Upgrade("/").status, 404);
  EXPECT_EQ(Upgrade("/wsx").status, 404);
  EXPECT_EQ(Upgrade("/metrics").status, 404) << "the internal port's alone";
  const HttpResponse version = Upgrade("/ws", {{"Sec-WebSocket-Version", "8"}});
  EXPECT_EQ(version.status, 426);
  EXPECT_EQ(version.headers.at("sec-websocket-version"), "13");
  EXPECT_EQ(Upgrade("/ws", {{"Upgrade", ""}}).status, 426);
  EXPECT_EQ(Upgrade("/ws", {{"Sec-WebSocket-Key", ""}}).status, 400);
}

TEST_F(DoorTest, ARequestsHeadHas8KiBAtMost) {
  EXPECT_EQ(Upgrade("/ws", {{"X-Long", std::string(7'000, 'a')}}).status, 101);
  RawSocket socket(relay().host(), relay().ws_port());
  socket.Send(
      absl::StrCat("GET /ws HTTP/1.1\r\nHost: x\r\nX-Long: ", std::string(9'000, 'a'), "\r\n\r\n"));
  EXPECT_TRUE(socket.ReadToEnd());
  EXPECT_EQ(socket.buffer().find("101"), std::string::npos);
}

TEST_F(DoorTest, WhoNeverSendsARequestIsShownTheDoor) {
  Start({.settings = {{"ws.auth_timeout", "300ms"}}});
  RawSocket silent(relay().host(), relay().ws_port());
  EXPECT_TRUE(silent.ReadToEnd());
  RawSocket slow(relay().host(), relay().ws_port());
  slow.Send("GET /ws HTTP/1.1\r\nHost: x\r\n");
  EXPECT_TRUE(slow.ReadToEnd());
}

TEST_F(DoorTest, UnauthenticatedConnectionsAreLimited) {
  Start({.settings = {{"ws.max_unauthenticated", "4"}, {"ws.auth_timeout", "60s"}}});
  std::vector<RawSocket> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(relay().host(), relay().ws_port());
    waiting.back().Send(
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    ASSERT_NE(waiting.back().ReadThrough("\r\n\r\n"), std::string::npos);
  }
  const HttpResponse refused = Upgrade("/ws");
  EXPECT_EQ(refused.status, 503);
  EXPECT_GT(std::stoi(refused.headers.at("retry-after")), 0);
  waiting.pop_back();
  // A place is free again, and whoever authenticates gives theirs back.
  EXPECT_TRUE(Await([this] { return Upgrade("/ws").status == 101; }));
  std::vector<Client> clients;
  for (int64_t user = 101; user < 106; ++user) {
    EXPECT_TRUE(Await([&] {
      Client client = Open({.token = UserToken(user)});
      if (!client.socket().open()) return false;
      EXPECT_EQ(Number(client.Welcome(), "userId"), user);
      clients.push_back(std::move(client));
      return true;
    }));
  }
}

TEST_F(DoorTest, AnAddressHasSoManyConnectionsAtOnce) {
  Start({.settings = {{"ws.max_per_ip", "2"}}});
  const auto hello = [](int64_t user, const std::string& source) {
    return Hello{.token = UserToken(user), .source = source};
  };
  Client one = Open(hello(101, "127.0.0.7"));
  Client two = Open(hello(102, "127.0.0.7"));
  one.Welcome();
  two.Welcome();
  EXPECT_EQ(Enter(hello(103, "127.0.0.7")), 503);
  EXPECT_EQ(Enter(hello(103, "127.0.0.8")), 103);
  one.socket().Close();
  EXPECT_TRUE(Await([&] { return Enter(hello(103, "127.0.0.7")) == 103; }));
}

TEST_F(DoorTest, BehindATrustedProxyTheClientsAddressCounts) {
  Start({.settings = {{"ws.max_per_ip", "1"}, {"ws.trusted_proxies", "127.0.0.7/32,10.0.0.0/8"}}});
  const auto hello = [](int64_t user, const std::string& source, const std::string& forwarded) {
    return Hello{
        .token = UserToken(user), .headers = {{"X-Forwarded-For", forwarded}}, .source = source};
  };
  Client first = Open(hello(101, "127.0.0.7", "203.0.113.1"));
  first.Welcome();
  // The rightmost hop that is no trusted proxy: what the client wrote before it is not believed.
  EXPECT_EQ(Enter(hello(102, "127.0.0.7", "198.51.100.9, 203.0.113.1, 10.1.2.3")), 503);
  EXPECT_EQ(Enter(hello(102, "127.0.0.7", "203.0.113.1, 203.0.113.2")), 102);
  // From elsewhere the header means nothing.
  Client direct = Open(hello(103, "127.0.0.8", "203.0.113.1"));
  EXPECT_EQ(Number(direct.Welcome(), "userId"), 103);
  EXPECT_EQ(Enter(hello(104, "127.0.0.8", "203.0.113.77")), 503);
}

}  // namespace
}  // namespace msab::e2e
