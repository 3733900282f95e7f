#include "tests/conformance/peer.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/token.h"

namespace msab::conformance {
namespace {

constexpr int kAliveId = 987'654;

}  // namespace

Peer::Peer(const e2e::RelayProcess& relay) : socket_(relay.host(), relay.ws_port()) {
  socket_.Send(absl::StrCat("GET /ws HTTP/1.1\r\nHost: relay.example\r\nUpgrade: websocket\r\n",
                            "Connection: Upgrade\r\nSec-WebSocket-Key: ", kKey,
                            "\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer ",
                            e2e::UserToken(1), "\r\n\r\n"));
  const size_t end = socket_.ReadThrough("\r\n\r\n");
  EXPECT_NE(end, std::string::npos);
  EXPECT_EQ(socket_.Take(end).substr(0, 12), "HTTP/1.1 101");
  EXPECT_NE(NextText().find("welcome"), std::string::npos);
  EXPECT_NE(NextText().find("live"), std::string::npos);
}

void Peer::SendByteByByte(const std::string& bytes) {
  for (const char byte : bytes) {
    if (!socket_.Send(std::string(1, byte))) return;
  }
}

std::optional<ServerFrame> Peer::Next() {
  const e2e::SteadyTime deadline = e2e::Deadline();
  while (true) {
    if (auto frame = TakeFrame(socket_.buffer())) return frame;
    if (!socket_.ReadSome(deadline)) return std::nullopt;
  }
}

std::string Peer::NextText() {
  const auto frame = Next();
  if (!frame.has_value() || frame->opcode != kText) {
    ADD_FAILURE() << "no text frame but "
                  << (frame.has_value() ? absl::StrCat("opcode ", frame->opcode) : "the end");
    return "";
  }
  EXPECT_TRUE(frame->fin) << "the relay does not fragment";
  return frame->payload;
}

std::string Peer::NextPong() {
  const auto frame = Next();
  if (!frame.has_value() || frame->opcode != kPong) {
    ADD_FAILURE() << "no pong but "
                  << (frame.has_value() ? absl::StrCat("opcode ", frame->opcode) : "the end");
    return "";
  }
  return frame->payload;
}

std::string Peer::Command(int id, const std::string& padding) {
  return absl::StrCat(R"({"id":)", id, R"(,"event":"ping","data":{"p":")", padding, R"("}})");
}

std::string Peer::Reply(int id) {
  return absl::StrCat(R"({"reply":)", id, R"(,"ok":true,"data":{}})");
}

bool Peer::Alive() {
  Send({.payload = Command(kAliveId)});
  const auto frame = Next();
  return frame.has_value() && frame->opcode == kText && frame->payload == Reply(kAliveId);
}

Ending Peer::End(bool answer) {
  Ending ending;
  ending.close_code = -1;
  while (const auto frame = Next()) {
    if (frame->opcode != kClose) continue;
    if (answer) Send({.opcode = kClose, .payload = frame->payload});
    EXPECT_EQ(ending.close_code, -1) << "one close frame and no more";
    const std::string& body = frame->payload;
    EXPECT_NE(body.size(), 1U);
    ending.close_code =
        body.size() < 2 ? 0 : static_cast<uint8_t>(body[0]) << 8 | static_cast<uint8_t>(body[1]);
    ending.reason = body.size() > 2 ? body.substr(2) : "";
  }
  ending.ended = socket_.ended();
  EXPECT_TRUE(socket_.buffer().empty()) << "bytes that are no whole frame";
  return ending;
}

}  // namespace msab::conformance
