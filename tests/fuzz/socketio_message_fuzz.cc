// One text message of a client, as the Socket.IO dialect reads it.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "server/contract/json_parse.h"
#include "server/protocol/socketio_dialect.h"
#include "server/protocol/socketio_packet.h"

namespace {

using msab::ClientMessage;
using msab::SocketIoPacket;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

boost::json::value Parsed(std::string_view text) {
  boost::system::error_code error;
  boost::json::value value = msab::ParseJson(text, error);
  Require(!error, "a packet of ours is JSON");
  return value;
}

// A packet that was taken apart is the text it was taken from. The main namespace goes without
// saying, except where the payload (which may be no JSON yet) would be read as one.
std::string Written(const SocketIoPacket& packet) {
  std::string text = absl::StrCat(static_cast<int>(packet.type));
  if (packet.attachments > 0) absl::StrAppend(&text, packet.attachments, "-");
  const bool named = !packet.in_main_namespace() || packet.json.starts_with('/');
  if (named) absl::StrAppend(&text, std::string(packet.name_space), ",");
  if (packet.id) absl::StrAppend(&text, *packet.id);
  return absl::StrCat(text, std::string(packet.json));
}

void CheckPacket(std::string_view text) {
  const auto parsed = msab::ParseSocketIo(text);
  const auto* packet = std::get_if<SocketIoPacket>(&parsed);
  if (packet == nullptr) return;
  const std::string written = Written(*packet);
  const auto again = msab::ParseSocketIo(written);
  Require(std::holds_alternative<SocketIoPacket>(again), "what was read can be written");
  Require(Written(std::get<SocketIoPacket>(again)) == written, "and reads the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const msab::SocketIoDialect dialect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckPacket(text);
  if (!text.empty()) CheckPacket(text.substr(1));
  const ClientMessage message = dialect.Decode(text);
  switch (message.kind) {
    case ClientMessage::Kind::kMalformed:
      Require(!message.fault.empty() && message.fault.size() <= 100, "a fault fits a close frame");
      return 0;
    case ClientMessage::Kind::kAnswered:
      Require(message.answer->text().starts_with("44/"), "another namespace is turned away");
      return 0;
    case ClientMessage::Kind::kAttached:
      Require(message.attachments > 0, "attachments are to come");
      break;
    case ClientMessage::Kind::kCommand:
      Require(!msab::IsReservedBySocketIo(message.event), "no reserved name");
      break;
    default:
      return 0;
  }
  // An answer that quotes the client comes out as JSON, under the same id.
  if (!message.id) return 0;
  const msab::FramePtr refusal = dialect.Reply(
      *message.id,
      msab::CommandError{"UNKNOWN_EVENT", message.event, 1, boost::json::serialize(message.data)});
  const std::string start = absl::StrCat("43", *message.id);
  Require(refusal->text().starts_with(start), "the answer has the id");
  const boost::json::value answer = Parsed(refusal->text().substr(start.size()));
  Require(answer.at(0).at("error").as_string() == message.event, "the message is whole");
  Require(answer.at(0).at("details") == message.data, "the details are whole");
  return 0;
}
