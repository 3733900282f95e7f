// A client's bytes, over a real socket into a shard that is driven by hand.
//
// The first byte says what the rest is: the whole of a TCP stream, from the HTTP request on; what
// follows a good upgrade, without or with a token; or, after such an upgrade, a list of well-formed
// messages (a byte of kind, two of length, the payload), of which every one with an id wants
// exactly one answer; or such messages of a Socket.IO client that is connected.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "server/protocol/native_dialect.h"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

TestHouse& House() {
  static auto* const house = [] {
    HouseOptions options;
    options.log.max_events = 1000;
    options.shard.session.max_message_bytes = 1024;
    return new TestHouse(options);
  }();
  return *house;
}

// Where the next client connects from. A closed connection keeps its pair of addresses for a minute
// (TIME-WAIT), and a long search makes more connections in that time than one address has ports.
in_addr_t NextSource() {
  static in_addr_t runs = 0;
  return INADDR_LOOPBACK + ++runs % 200;
}

// Turns until neither side has anything left to do.
void Exchange(WsClient& client) {
  for (int quiet = 0; quiet < 3;) {
    const bool ran = House().Turn();
    const bool read = client.Pump();
    quiet = ran || read ? 0 : quiet + 1;
  }
}

std::string Upgrade(bool with_token) {
  std::string request =
      "GET /ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (with_token) absl::StrAppend(&request, "Authorization: Bearer ", House().Token(1), "\r\n");
  return request + "\r\n";
}

// A client of Socket.IO, up to and with its CONNECT.
void EnterBySocketIo(WsClient& client) {
  client.Send(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  Exchange(client);
  client.SendText(absl::StrCat(R"(40{"token":")", House().Token(1), "\"}"));
  Exchange(client);
  Require(client.frames().size() == 2 && client.frames()[1].payload.starts_with("40{"),
          "CONNECT is answered");
}

// Sends the messages that `text` lists, as text or, of odd kinds, as binary.
void SendPackets(std::string_view text, WsClient& client) {
  while (text.size() >= 3) {
    const uint8_t kind = static_cast<uint8_t>(text[0]) % 8;
    const size_t length = (static_cast<uint8_t>(text[1]) | static_cast<size_t>(text[2]) << 8) & 511;
    std::string payload(text.substr(3, length));
    text.remove_prefix(3 + payload.size());
    for (char& c : payload) c = static_cast<char>(c & 0x7f);
    client.SendFrame(kind % 2 == 0 ? WsClient::kText : WsClient::kBinary, payload);
    if (kind == 4) Exchange(client);
  }
}

void CheckPackets(WsClient& client) {
  Require(!client.faulty(), "frames are unmasked, whole and of known kinds");
  bool closed = false;
  for (const WsClient::Frame& frame : client.frames()) {
    Require(!closed, "nothing follows a close frame");
    closed = (frame.first & 0x0f) == WsClient::kClose;
    if (frame.first != 0x81) continue;
    // Digits, a namespace perhaps, and JSON.
    const size_t json = std::min(frame.payload.find_first_of("[{"), frame.payload.size());
    boost::system::error_code error;
    if (json < frame.payload.size()) boost::json::parse(frame.payload.substr(json), error);
    Require(!error || frame.payload.starts_with("44/"), "every packet's payload is JSON");
  }
}

// Sends the messages that `text` lists, and notes the ids of those that want an answer.
void SendMessages(std::string_view text, WsClient& client, std::map<int64_t, int>& wanted) {
  const NativeDialect dialect;
  while (text.size() >= 3) {
    const uint8_t kind = static_cast<uint8_t>(text[0]) % 8;
    const size_t length = (static_cast<uint8_t>(text[1]) | static_cast<size_t>(text[2]) << 8) & 511;
    const std::string_view payload = text.substr(3, length);
    text.remove_prefix(3 + payload.size());
    if (kind == 6) {
      client.SendFrame(WsClient::kPing, payload.substr(0, 125));
      continue;
    }
    // Text of any bytes would be closed with 1007 before it is decoded; escapes may say anything.
    std::string ascii(payload);
    for (char& c : ascii) c = static_cast<char>(c & 0x7f);
    const ClientMessage message = dialect.Decode(ascii);
    if (message.kind == ClientMessage::Kind::kMalformed && kind != 7) continue;
    if (message.id) ++wanted[*message.id];
    const size_t half = kind == 5 ? ascii.size() / 2 : ascii.size();
    client.SendFrame(WsClient::kText, ascii.substr(0, half), half == ascii.size());
    if (half < ascii.size()) client.SendFrame(0, ascii.substr(half));
    if (kind == 4) Exchange(client);
  }
}

void Check(WsClient& client, const std::map<int64_t, int>& wanted) {
  Require(!client.faulty(), "frames are unmasked, whole and of known kinds");
  std::map<int64_t, int> answered;
  bool closed = false;
  for (const WsClient::Frame& frame : client.frames()) {
    Require(!closed, "nothing follows a close frame");
    closed = (frame.first & 0x0f) == WsClient::kClose;
    if (frame.first != 0x81) continue;
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(frame.payload, error);
    Require(!error && value.is_object(), "every text frame is a JSON object");
    const boost::json::value* const reply = value.as_object().if_contains("reply");
    if (reply != nullptr) ++answered[reply->as_int64()];
  }
  for (const auto& [id, times] : answered) {
    const auto it = wanted.find(id);
    Require(wanted.empty() || (it != wanted.end() && times <= it->second),
            "nothing is answered that was not asked");
  }
  Require(closed || client.ended() || wanted.empty() || answered == wanted,
          "every message with an id is answered once");
}

void Run(uint8_t mode, std::string_view rest) {
  std::map<int64_t, int> wanted;
  {
    WsClient client(House().shard().port(), /*receive_buffer=*/0, NextSource());
    Require(client.connected(), "the listener listens");
    if (mode == 4) {
      EnterBySocketIo(client);
    } else if (mode > 0) {
      client.Send(Upgrade(/*with_token=*/mode != 1));
      Exchange(client);
      Require(!client.head().empty(), "an upgrade is answered");
    }
    if (mode == 3) {
      SendMessages(rest, client, wanted);
    } else if (mode == 4) {
      SendPackets(rest, client);
    } else {
      // In two pieces, so that frames are cut anywhere.
      const size_t half = rest.empty() ? 0 : static_cast<uint8_t>(rest[0]) % rest.size();
      client.Send(rest.substr(0, half));
      if (half % 2 == 0) Exchange(client);
      client.Send(rest.substr(half));
    }
    Exchange(client);
    if (mode >= 3 && !client.ended()) House().Emit(Durable(Target::User(1)));
    Exchange(client);
    if (mode == 4) CheckPackets(client);
    if (mode > 0 && mode < 4) Check(client, wanted);
  }
  for (int i = 0; i < 1000 && House().shard().connection_count() > 0; ++i) {
    House().clock().Advance(1000);
    House().Settle();
  }
  Require(House().shard().connection_count() == 0, "a connection ends with its client");
  Require(House().dispatcher().stats().connections == 0, "nobody is left registered");
  House().clock().Advance(60'000);
  House().dispatcher().SweepDepartures();
}

}  // namespace
}  // namespace msab::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  msab::test::Run(data[0] % 5, {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
