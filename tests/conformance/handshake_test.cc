// RFC 6455, 4.2: what a client's opening handshake must hold, and what it is answered.
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/conformance/conformance_test.h"
#include "tests/e2e/harness/http.h"

namespace msab::conformance {
namespace {

constexpr char kRequest[] =
    "GET /ws HTTP/1.1\r\n"
    "Host: relay.example\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n";

class HandshakeTest : public ConformanceTest {
 protected:
  // The answer to the request above with `from` replaced by `to`; status 0: hung up without one.
  static e2e::HttpResponse Answer(const std::string& from = "", const std::string& to = "") {
    std::string request = kRequest;
    if (!from.empty()) {
      EXPECT_NE(request.find(from), std::string::npos) << from;
      request = absl::StrReplaceAll(request, {{from, to}});
    }
    e2e::RawSocket socket(relay_->host(), relay_->ws_port());
    socket.Send(request);
    const size_t end = socket.ReadThrough("\r\n\r\n");
    return end == std::string::npos ? e2e::HttpResponse{} : e2e::ParseHttpHead(socket.Take(end));
  }
};

TEST_F(HandshakeTest, IsAnsweredAsTheRfcsExample) {
  const e2e::HttpResponse answer = Answer();
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(absl::AsciiStrToLower(answer.headers.at("upgrade")), "websocket");
  EXPECT_EQ(absl::AsciiStrToLower(answer.headers.at("connection")), "upgrade");
  EXPECT_EQ(answer.headers.at("sec-websocket-accept"), kAccept);
  EXPECT_FALSE(answer.headers.contains("sec-websocket-extensions"));
  EXPECT_FALSE(answer.headers.contains("sec-websocket-protocol"));
}

TEST_F(HandshakeTest, TokensAndNamesHaveNoCase) {
  EXPECT_EQ(Answer("Upgrade: websocket", "uPGRADE: WebSocket").status, 101);
  EXPECT_EQ(Answer("Connection: Upgrade", "CONNECTION: keep-alive, upgrade").status, 101);
  EXPECT_EQ(Answer("Sec-WebSocket-Key", "sec-websocket-KEY").status, 101);
  EXPECT_EQ(Answer("Upgrade: websocket", "Upgrade: h2c, websocket").status, 101);
}

TEST_F(HandshakeTest, WhatIsMissingIsRefused) {
  for (const std::string& line :
       {std::string("Upgrade: websocket\r\n"), std::string("Connection: Upgrade\r\n")}) {
    const int status = Answer(line).status;
    EXPECT_TRUE(status == 400 || status == 426) << line << status;
  }
  EXPECT_EQ(Answer("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n").status, 400);
  const int version = Answer("Sec-WebSocket-Version: 13\r\n").status;
  EXPECT_TRUE(version == 400 || version == 426) << version;
  EXPECT_EQ(Answer("Host: relay.example\r\n").status, 400);
}

TEST_F(HandshakeTest, AKeyIs16BytesInBase64) {
  EXPECT_EQ(Answer(kKey, "").status, 400);
  EXPECT_EQ(Answer(kKey, "dGhlIHNhbXBsZSBub25jZQ").status, 400);
  EXPECT_EQ(Answer(kKey, "c2hvcnQ=").status, 400);
  EXPECT_EQ(Answer(kKey, "dGhlIHNhbXBsZSBub25jZSBhbmQgdG9vIGxvbmc=").status, 400);
}

TEST_F(HandshakeTest, OtherVersionsAreToldTheRightOne) {
  for (const std::string version : {"12", "14", "8", "0", "x"}) {
    const e2e::HttpResponse answer =
        Answer("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: " + version);
    EXPECT_EQ(answer.status, 426) << version;
    EXPECT_EQ(answer.headers.at("sec-websocket-version"), "13");
  }
}

TEST_F(HandshakeTest, OnlyGetUpgrades) {
  for (const std::string method : {"POST", "PUT", "HEAD", "OPTIONS", "DELETE"}) {
    const int status = Answer("GET /ws", method + " /ws").status;
    EXPECT_GE(status, 400) << method;
    EXPECT_LT(status, 500) << method;
  }
}

TEST_F(HandshakeTest, OnlyHttp11Upgrades) {
  const int status = Answer("HTTP/1.1", "HTTP/1.0").status;
  EXPECT_GE(status, 400);
  EXPECT_LT(status, 500);
}

TEST_F(HandshakeTest, ExtensionsOfferedAreNotTaken) {
  const e2e::HttpResponse answer =
      Answer("Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
             "Sec-WebSocket-Version: 13");
  EXPECT_EQ(answer.status, 101);
  EXPECT_FALSE(answer.headers.contains("sec-websocket-extensions"));
}

TEST_F(HandshakeTest, OnlyAKnownSubprotocolIsChosen) {
  const auto chosen = [](const std::string& offered) {
    const e2e::HttpResponse answer =
        Answer("Sec-WebSocket-Version: 13",
               absl::StrCat("Sec-WebSocket-Protocol: ", offered, "\r\nSec-WebSocket-Version: 13"));
    EXPECT_EQ(answer.status, 101);
    const auto header = answer.headers.find("sec-websocket-protocol");
    return header == answer.headers.end() ? std::string() : header->second;
  };
  EXPECT_EQ(chosen("msab.v1"), "msab.v1");
  EXPECT_EQ(chosen("chat, msab.v1"), "msab.v1");
  EXPECT_EQ(chosen("chat"), "");
  EXPECT_EQ(chosen("msab.v2, token.x"), "");
}

TEST_F(HandshakeTest, MayComeByteByByteAndWithTheFirstFrameBehindIt) {
  e2e::RawSocket slow(relay_->host(), relay_->ws_port());
  for (const char* byte = kRequest; *byte != '\0'; ++byte) slow.Send(std::string(1, *byte));
  ASSERT_NE(slow.ReadThrough("\r\n\r\n"), std::string::npos);
  EXPECT_EQ(slow.buffer().substr(0, 12), "HTTP/1.1 101");

  e2e::RawSocket eager(relay_->host(), relay_->ws_port());
  eager.Send(kRequest + Encode({.opcode = kPing, .payload = "already"}));
  const size_t end = eager.ReadThrough("\r\n\r\n");
  ASSERT_NE(end, std::string::npos);
  eager.Take(end);
  ASSERT_TRUE(eager.ReadAtLeast(9));
  const auto frame = TakeFrame(eager.buffer());
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->opcode, kPong);
  EXPECT_EQ(frame->payload, "already");
}

TEST_F(HandshakeTest, WhatIsNoHttpIsRefused) {
  for (const std::string& noise :
       {std::string("\r\n\r\n\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
        std::string("GET /ws HTTP/9.9\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("GET /ws HTTP/1.1\r\nHost relay\r\n\r\n"), std::string(20'000, 'x')}) {
    e2e::RawSocket socket(relay_->host(), relay_->ws_port());
    socket.Send(noise);
    socket.FinishSending();
    EXPECT_TRUE(socket.ReadToEnd());
    EXPECT_EQ(socket.buffer().find(" 101 "), std::string::npos);
  }
  EXPECT_TRUE(Peer(*relay_).Alive());
}

}  // namespace
}  // namespace msab::conformance
