#include "server/session/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "boost/json/parse.hpp"

namespace msab {
namespace {

namespace http = boost::beast::http;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A well-formed handshake of a browser on the relay's own host.
Door::RequestHead Handshake(const std::string& target) {
  Door::RequestHead head;
  head.version(11);
  head.method(http::verb::get);
  head.target(target);
  head.set(http::field::host, "relay.example:8080");
  head.set(http::field::connection, "keep-alive, Upgrade");
  head.set(http::field::upgrade, "websocket");
  head.set(http::field::sec_websocket_version, "13");
  head.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  return head;
}

class DoorTest : public ::testing::Test {
 protected:
  Upgrade Admit(const Door::RequestHead& head) const {
    const DoorVerdict verdict = door_.Judge(head);
    if (const auto* refusal = std::get_if<HttpRefusal>(&verdict)) {
      ADD_FAILURE() << refusal->status << " " << refusal->body;
      return {};
    }
    return std::get<Upgrade>(verdict);
  }
  HttpRefusal Refuse(const Door::RequestHead& head) const {
    const DoorVerdict verdict = door_.Judge(head);
    if (std::holds_alternative<Upgrade>(verdict)) {
      ADD_FAILURE() << "let in: " << std::string(head.target());
      return {};
    }
    return std::get<HttpRefusal>(verdict);
  }
  bool OriginAllowed(std::vector<std::string> allowed, const std::string& origin,
                     const std::string& host = "relay.example:8080") const {
    auto head = Handshake("/ws");
    head.set(http::field::origin, origin);
    head.set(http::field::host, host);
    const DoorVerdict verdict = Door({std::move(allowed), {}}).Judge(head);
    return std::get<Upgrade>(verdict).origin_allowed;
  }

  Door door_{{}};
};

TEST_F(DoorTest, LetsABareUpgradeWaitForItsToken) {
  const Upgrade upgrade = Admit(Handshake("/ws"));
  EXPECT_EQ(upgrade.dialect, DialectId::kNative);
  EXPECT_TRUE(upgrade.origin_allowed);
  EXPECT_FALSE(upgrade.subprotocol);
  EXPECT_EQ(upgrade.credentials.token, "");
  EXPECT_EQ(upgrade.credentials.cursor, std::nullopt);
  EXPECT_THAT(upgrade.credentials.rooms, IsEmpty());
}

TEST_F(DoorTest, TakesTheTokenFromHeaderSubprotocolOrQuery) {
  auto head = Handshake("/ws");
  head.set(http::field::authorization, "bearer  abc.def.ghi ");
  EXPECT_EQ(Admit(head).credentials.token, "abc.def.ghi");

  head = Handshake("/ws");
  head.set(http::field::sec_websocket_protocol, "msab.v1, token.abc.def.ghi");
  EXPECT_EQ(Admit(head).credentials.token, "abc.def.ghi");
  EXPECT_TRUE(Admit(head).subprotocol);

  // In two headers, and without a protocol that we speak.
  head = Handshake("/ws");
  head.insert(http::field::sec_websocket_protocol, "other");
  head.insert(http::field::sec_websocket_protocol, "token.abc.def.ghi");
  EXPECT_EQ(Admit(head).credentials.token, "abc.def.ghi");
  EXPECT_FALSE(Admit(head).subprotocol);

  EXPECT_EQ(Admit(Handshake("/ws?x=1&token=abc.def.ghi")).credentials.token, "abc.def.ghi");
  EXPECT_EQ(Admit(Handshake("/ws?token=a%2Eb%2ec")).credentials.token, "a.b.c");
  EXPECT_EQ(Admit(Handshake("/ws?token=")).credentials.token, "");

  // Of several, the one that is hardest to leak.
  head = Handshake("/ws?token=query");
  head.set(http::field::sec_websocket_protocol, "msab.v1, token.protocol");
  EXPECT_EQ(Admit(head).credentials.token, "protocol");
  head.set(http::field::authorization, "Bearer header");
  EXPECT_EQ(Admit(head).credentials.token, "header");
  head.set(http::field::authorization, "Basic dXNlcjpwYXNz");
  EXPECT_EQ(Admit(head).credentials.token, "protocol");
}

TEST_F(DoorTest, ReadsCursorAndRooms) {
  Upgrade upgrade = Admit(Handshake("/ws?cursor=abc-17&rooms=42,lobby%3Aeu,,x"));
  EXPECT_EQ(upgrade.credentials.cursor, "abc-17");
  EXPECT_THAT(upgrade.credentials.rooms, ElementsAre("42", "lobby:eu", "x"));
  // Commas that a browser encoded are commas; an empty cursor is one that is malformed.
  upgrade = Admit(Handshake("/ws?rooms=1%2C2&cursor="));
  EXPECT_THAT(upgrade.credentials.rooms, ElementsAre("1", "2"));
  EXPECT_EQ(upgrade.credentials.cursor, "");
  // Broken escapes stand for themselves, and nothing is read past the end.
  EXPECT_EQ(Admit(Handshake("/ws?cursor=%")).credentials.cursor, "%");
  EXPECT_EQ(Admit(Handshake("/ws?cursor=%4")).credentials.cursor, "%4");
  EXPECT_EQ(Admit(Handshake("/ws?cursor=%zz+%41")).credentials.cursor, "%zz A");
  EXPECT_EQ(Admit(Handshake("/ws?cursor=first&cursor=second")).credentials.cursor, "first");
}

TEST_F(DoorTest, AnswersWhatIsNoWebSocketWithAStatus) {
  for (const char* target : {"/", "/wss", "/ws/", "/ws/x", "/socket.iox", "/healthz", "*", ""}) {
    EXPECT_EQ(Refuse(Handshake(target)).status, 404) << target;
  }
  auto head = Handshake("/ws");
  head.erase(http::field::upgrade);
  HttpRefusal refusal = Refuse(head);
  EXPECT_EQ(refusal.status, 426);
  EXPECT_THAT(refusal.headers, ElementsAre(std::pair("Upgrade", "websocket")));

  head = Handshake("/ws");
  head.set(http::field::connection, "close");
  EXPECT_EQ(Refuse(head).status, 426);
  head = Handshake("/ws");
  head.version(10);
  EXPECT_EQ(Refuse(head).status, 426);

  head = Handshake("/ws");
  head.set(http::field::sec_websocket_version, "8");
  refusal = Refuse(head);
  EXPECT_EQ(refusal.status, 426);
  EXPECT_THAT(refusal.headers, ElementsAre(std::pair("Upgrade", "websocket"),
                                           std::pair("Sec-WebSocket-Version", "13")));

  head = Handshake("/ws");
  head.method(http::verb::post);
  EXPECT_EQ(Refuse(head).status, 400);
  for (const char* key : {"", "short==", "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25j{{=="}) {
    head = Handshake("/ws");
    head.set(http::field::sec_websocket_key, key);
    EXPECT_EQ(Refuse(head).status, 400) << key;
  }
  head = Handshake("/ws");
  head.erase(http::field::sec_websocket_key);
  EXPECT_EQ(Refuse(head).status, 400);
}

TEST_F(DoorTest, AllowsTheSameHostUnlessOriginsAreListed) {
  EXPECT_TRUE(OriginAllowed({}, "http://relay.example:8080"));
  EXPECT_TRUE(OriginAllowed({}, "https://RELAY.example"));
  EXPECT_TRUE(OriginAllowed({}, "http://[::1]:3000", "[::1]:8080"));
  EXPECT_TRUE(OriginAllowed({}, "http://[::1]", "[::1]"));
  EXPECT_FALSE(OriginAllowed({}, "https://relay.example.evil"));
  EXPECT_FALSE(OriginAllowed({}, "https://evil.example"));
  EXPECT_FALSE(OriginAllowed({}, "null"));
  EXPECT_FALSE(OriginAllowed({}, "relay.example"));
  EXPECT_FALSE(OriginAllowed({}, ""));
  EXPECT_FALSE(OriginAllowed({}, "https://", ""));

  const std::vector<std::string> listed = {"https://app.example", "capacitor://localhost"};
  EXPECT_TRUE(OriginAllowed(listed, "https://app.example"));
  EXPECT_TRUE(OriginAllowed(listed, "capacitor://localhost"));
  EXPECT_FALSE(OriginAllowed(listed, "http://app.example"));
  EXPECT_FALSE(OriginAllowed(listed, "https://app.example:444"));
  EXPECT_FALSE(OriginAllowed(listed, "https://sub.app.example"));
  EXPECT_FALSE(OriginAllowed(listed, "http://relay.example:8080"));
  EXPECT_FALSE(OriginAllowed(listed, "null"));

  EXPECT_TRUE(OriginAllowed({"*"}, "https://anybody.example"));
  EXPECT_FALSE(OriginAllowed({"*"}, "null"));
  EXPECT_TRUE(OriginAllowed({"*", "null"}, "null"));

  // Two of them are not one that is allowed.
  auto head = Handshake("/ws");
  head.insert(http::field::origin, "http://relay.example:8080");
  head.insert(http::field::origin, "https://evil.example");
  EXPECT_FALSE(Admit(head).origin_allowed);
}

TEST_F(DoorTest, RecognisesSocketIo) {
  for (const char* target : {"/socket.io/?EIO=4&transport=websocket",
                             "/socket.io?transport=websocket&EIO=4&t=abc&sid="}) {
    EXPECT_EQ(Admit(Handshake(target)).dialect, DialectId::kSocketIo);
  }
  auto head = Handshake("/socket.io/?EIO=4&transport=websocket");
  head.set(http::field::origin, "https://evil.example");
  EXPECT_FALSE(Admit(head).origin_allowed);
}

TEST_F(DoorTest, RefusesSocketIoAsEngineIoDoes) {
  const auto code = [this](const Door::RequestHead& head) {
    const HttpRefusal refusal = Refuse(head);
    EXPECT_EQ(refusal.status, 400);
    EXPECT_EQ(refusal.content_type, "application/json");
    return boost::json::parse(refusal.body).at("code").as_int64();
  };
  EXPECT_EQ(code(Handshake("/socket.io/?EIO=4&transport=polling")), 0);
  EXPECT_THAT(Refuse(Handshake("/socket.io/?EIO=4&transport=polling")).body,
              "{\"code\":0,\"message\":\"Transport unknown: set transports: ['websocket']\"}");
  EXPECT_EQ(code(Handshake("/socket.io/?EIO=4&transport=webtransport")), 0);
  EXPECT_EQ(code(Handshake("/socket.io/?EIO=4")), 0);
  EXPECT_EQ(code(Handshake("/socket.io/?EIO=4&transport=websocket&sid=abc")), 1);
  EXPECT_EQ(code(Handshake("/socket.io/?EIO=3&transport=websocket")), 5);
  EXPECT_EQ(code(Handshake("/socket.io/?transport=websocket")), 5);
  auto head = Handshake("/socket.io/?EIO=4&transport=websocket");
  head.method(http::verb::post);
  EXPECT_EQ(code(head), 2);
  head = Handshake("/socket.io/?EIO=4&transport=websocket");
  head.erase(http::field::upgrade);
  EXPECT_EQ(code(head), 3);
}

TEST_F(DoorTest, LetsAllowedPagesReadSocketIoRefusals) {
  auto head = Handshake("/socket.io/?EIO=4&transport=polling");
  EXPECT_THAT(Refuse(head).headers, IsEmpty());
  head.set(http::field::origin, "https://evil.example");
  EXPECT_THAT(Refuse(head).headers, IsEmpty());
  head.set(http::field::origin, "https://relay.example");
  EXPECT_THAT(Refuse(head).headers,
              ElementsAre(std::pair("Access-Control-Allow-Origin", "https://relay.example"),
                          std::pair("Access-Control-Allow-Credentials", "true"),
                          std::pair("Vary", "Origin")));
}

TEST_F(DoorTest, BelievesForwardedAddressesOnlyOfTrustedProxies) {
  const Door door({{}, {*AddressRange::Parse("10.0.0.0/8"), *AddressRange::Parse("fd00::/8")}});
  const auto client = [&door](const std::string& peer, const std::vector<std::string>& forwarded) {
    auto head = Handshake("/ws");
    for (const std::string& value : forwarded) head.insert("X-Forwarded-For", value);
    return door.ClientAddress(head, *IpAddress::Parse(peer)).ToString();
  };
  EXPECT_EQ(client("203.0.113.9", {"198.51.100.1"}), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(client("::ffff:10.0.0.1", {"198.51.100.1"}), "198.51.100.1");
  // The rightmost that is not ours; what stands before it was the client's to write.
  EXPECT_EQ(client("10.0.0.1", {"1.1.1.1, 198.51.100.1,10.2.3.4 , fd00::7"}), "198.51.100.1");
  EXPECT_EQ(client("10.0.0.1", {"1.1.1.1", "198.51.100.1", "10.2.3.4"}), "198.51.100.1");
  EXPECT_EQ(client("10.0.0.1", {"10.9.9.9, 10.2.3.4"}), "10.9.9.9");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.1:4711"}), "198.51.100.1");
  EXPECT_EQ(client("10.0.0.1", {"[2001:db8::1]:4711"}), "2001:db8::1");
  EXPECT_EQ(client("10.0.0.1", {"2001:db8::1"}), "2001:db8::1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.1, unknown, 10.2.3.4"}), "10.2.3.4");
  EXPECT_EQ(client("10.0.0.1", {""}), "10.0.0.1");
}

TEST_F(DoorTest, SaysWhenToComeBack) {
  const HttpRefusal refusal = Door::Later("draining", 3);
  EXPECT_EQ(refusal.status, 503);
  EXPECT_THAT(refusal.body, HasSubstr("draining"));
  EXPECT_THAT(refusal.headers, ElementsAre(std::pair("Retry-After", "3")));
}

}  // namespace
}  // namespace msab
