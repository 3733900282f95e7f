#include "server/protocol/socketio_dialect.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "server/contract/json_parse.h"
#include "server/protocol/socketio_packet.h"
#include "server/protocol/text.h"

namespace msab {
namespace {

// How long the reference server waits for CONNECT: an `auth` callback may fetch a token first.
constexpr int64_t kConnectMillis = 45'000;

// What the client adds to the ping interval before it gives up. The relay itself waits
// ws.ping_timeout: a sleeping phone may be late, a client that hears nothing should try anew soon.
constexpr int kClientPatienceMillis = 20'000;

// From here on close codes mean "don't come back".
constexpr uint16_t kFirstFinal = 4500;

ClientMessage Of(ClientMessage::Kind kind) {
  ClientMessage message;
  message.kind = kind;
  return message;
}

ClientMessage Malformed(std::string_view fault) {
  ClientMessage message;
  message.fault = fault;
  return message;
}

std::optional<std::string> StringAt(const boost::json::object& object, std::string_view key) {
  const boost::json::value* const value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

FramePtr ConnectError(std::string_view message, std::string_view code) {
  return Frame::Text({R"(44{"message":")", message, R"(","data":{"code":")", code, R"("}})"});
}

FramePtr AuthenticationRequired() {
  return ConnectError("Authentication required", "UNAUTHENTICATED");
}

// CONNECT: what the application's `auth` gives, and `pid` and `offset`, which the client adds.
ClientMessage DecodeConnect(std::string_view json) {
  ClientMessage message = Of(ClientMessage::Kind::kConnect);
  if (json.empty()) return message;
  boost::system::error_code error;
  const boost::json::value payload = ParseJson(json, error);
  if (error) return Malformed("the payload of CONNECT is no JSON");
  const boost::json::object* const auth = payload.if_object();
  if (auth == nullptr) {
    // An application's `auth` may give anything. Its client would come back for ever if it were
    // only sent away.
    message = Malformed("the payload of CONNECT is no object");
    message.answer = AuthenticationRequired();
    return message;
  }
  Credentials& credentials = message.credentials;
  credentials.token = StringAt(*auth, "token").value_or("");
  credentials.resume_id = StringAt(*auth, "pid").value_or("");
  credentials.offset = StringAt(*auth, "offset");
  if (const boost::json::value* cursor = auth->if_contains("cursor");
      cursor && !cursor->is_null()) {
    // One that is no text is as foreign as one of another log.
    credentials.cursor = StringAt(*auth, "cursor").value_or("");
  }
  return message;
}

ClientMessage DecodeEvent(const SocketIoPacket& packet) {
  boost::system::error_code error;
  boost::json::value payload = ParseJson(packet.json, error);
  boost::json::array* const arguments = error ? nullptr : payload.if_array();
  if (arguments == nullptr || arguments->empty()) {
    return Malformed("the payload of an event is no array with its name");
  }
  const boost::json::value& name = arguments->front();
  ClientMessage message =
      Of(packet.attachments > 0 ? ClientMessage::Kind::kAttached : ClientMessage::Kind::kCommand);
  if (name.is_string()) {
    message.event = std::string(name.get_string());
    if (IsReservedBySocketIo(message.event)) return Malformed("a reserved event name");
  } else if (name.is_number()) {
    message.event = boost::json::serialize(name);  // allowed, and no name of ours
  } else {
    return Malformed("an event's name is no string");
  }
  message.id = packet.id;
  message.attachments = packet.attachments;
  if (packet.attachments == 0 && arguments->size() > 1) message.data = std::move((*arguments)[1]);
  return message;
}

ClientMessage DecodeElsewhere(const SocketIoPacket& packet) {
  switch (packet.type) {
    case SocketIoPacket::Type::kConnect: {
      ClientMessage message = Of(ClientMessage::Kind::kAnswered);
      message.answer =
          Frame::Text({"44", packet.name_space, R"(,{"message":"Invalid namespace"})"});
      return message;
    }
    case SocketIoPacket::Type::kDisconnect:
      return Of(ClientMessage::Kind::kIgnored);
    default:
      return Malformed("a packet of a namespace that is not connected");
  }
}

ClientMessage DecodeMessage(std::string_view text) {
  const auto parsed = ParseSocketIo(text);
  if (const auto* fault = std::get_if<std::string_view>(&parsed)) return Malformed(*fault);
  const auto& packet = std::get<SocketIoPacket>(parsed);
  if (!packet.in_main_namespace()) return DecodeElsewhere(packet);
  switch (packet.type) {
    case SocketIoPacket::Type::kConnect:
      return DecodeConnect(packet.json);
    case SocketIoPacket::Type::kDisconnect:
      if (!packet.json.empty()) return Malformed("DISCONNECT has no payload");
      return Of(ClientMessage::Kind::kGoodbye);
    case SocketIoPacket::Type::kEvent:
    case SocketIoPacket::Type::kBinaryEvent:
      return DecodeEvent(packet);
    case SocketIoPacket::Type::kAck:
      return Of(ClientMessage::Kind::kIgnored);  // the relay asks for none
    case SocketIoPacket::Type::kBinaryAck: {
      ClientMessage message = Of(ClientMessage::Kind::kAttached);
      message.attachments = packet.attachments;
      return message;
    }
    case SocketIoPacket::Type::kConnectError:
      break;
  }
  return Malformed("CONNECT_ERROR is the server's");
}

}  // namespace

const Conduct& SocketIoDialect::conduct() const {
  static constexpr Conduct kConduct{.connect_within = kConnectMillis,
                                    .heartbeat_by_message = true,
                                    .recovers = true,
                                    .tells_missed = false};
  return kConduct;
}

FramePtr SocketIoDialect::Event(const EntryPtr& entry, std::string_view epoch) const {
  std::string escaped;
  const std::string_view name = EscapedName(entry->name, escaped);
  const bool numbered = entry->sequence != 0;
  const Digits sequence(entry->sequence);
  return Frame::Event(
      {R"(42[")", name, R"(",)", entry->payload, numbered ? R"(,")" : "", numbered ? epoch : "",
       numbered ? "-" : "", numbered ? sequence.view() : "", numbered ? R"("])" : "]"},
      entry);
}

FramePtr SocketIoDialect::Open(const Greeting& greeting) const {
  return Frame::Text(
      {absl::StrCat(R"(0{"sid":")", greeting.connection_id, R"(","upgrades":[],"pingInterval":)",
                    greeting.ping_interval, R"(,"pingTimeout":)", kClientPatienceMillis,
                    R"(,"maxPayload":)", greeting.max_message_bytes, "}")});
}

Dialect::Frames SocketIoDialect::Hello(const Welcome& welcome) const {
  Frames frames = {Frame::Text(
      {R"(40{"sid":")", welcome.connection_id, R"(","pid":")", welcome.resume_id, R"("})"})};
  if (welcome.recovered == Welcome::Recovered::kGapEpoch) {
    frames.push_back(Frame::Text({R"(42["gap",{"gap":"epoch"}])"}));
  } else if (welcome.recovered == Welcome::Recovered::kGapExpired) {
    frames.push_back(Frame::Text({R"(42["gap",{"gap":"expired"}])"}));
  }
  return frames;
}

FramePtr SocketIoDialect::Refuse(ConnectRefusal why) const {
  switch (why) {
    case ConnectRefusal::kNoToken:
      return AuthenticationRequired();
    case ConnectRefusal::kInvalidToken:
      return ConnectError("Invalid credentials", "UNAUTHENTICATED");
    case ConnectRefusal::kExpiredToken:
      return ConnectError("Token expired", "TOKEN_EXPIRED");
    case ConnectRefusal::kOrigin:
      return ConnectError("Origin not allowed", "ORIGIN_FORBIDDEN");
  }
  return {};
}

FramePtr SocketIoDialect::Live(const Cursor& /*cursor*/) const { return {}; }

FramePtr SocketIoDialect::Heartbeat() const { return Frame::Text({"2"}, Frame::Kind::kControl); }

FramePtr SocketIoDialect::Ping(const Cursor& /*cursor*/) const { return {}; }

FramePtr SocketIoDialect::Reply(int64_t id, const CommandResult& result) const {
  const Digits number(id);
  if (const auto* data = std::get_if<std::string>(&result)) {
    // The data's own members stand beside `success`.
    std::string_view members = *data;
    members.remove_prefix(1);
    const bool none = members == "}";
    return Frame::Text({"43", number.view(), R"([{"success":true)", none ? "" : ",", members, "]"});
  }
  const auto& error = std::get<CommandError>(result);
  const std::string retry_after =
      error.retry_after_ms > 0 ? absl::StrCat(R"(,"retryAfter":)", error.retry_after_ms) : "";
  const bool detailed = !error.details_json.empty();
  return Frame::Text({"43", number.view(), R"([{"success":false,"error":)",
                      QuotedJson(error.message), R"(,"code":")", error.code, "\"", retry_after,
                      detailed ? R"(,"details":)" : "", error.details_json, "}]"});
}

Dialect::Frames SocketIoDialect::Farewell(uint16_t code, std::string_view reason) const {
  if (code < kFirstFinal) return {};
  return {Frame::Text({R"(42["session:closed",{"code":)", Digits(code).view(), R"(,"reason":)",
                       QuotedJson(reason), "}]"}),
          Frame::Text({"41"})};
}

ClientMessage SocketIoDialect::Decode(std::string_view text) const {
  const std::optional<EngineIoPacket> packet = ParseEngineIo(text);
  if (!packet) return Malformed("no Engine.IO packet");
  switch (packet->type) {
    case EngineIoType::kMessage:
      return DecodeMessage(packet->rest);
    case EngineIoType::kPong:
      return Of(ClientMessage::Kind::kPong);
    case EngineIoType::kClose:
      return Of(ClientMessage::Kind::kHangUp);
    case EngineIoType::kNoop:
      return Of(ClientMessage::Kind::kIgnored);
    case EngineIoType::kPing:
      return Malformed("pings come from the server");
    case EngineIoType::kOpen:
    case EngineIoType::kUpgrade:
      break;
  }
  return Malformed("an Engine.IO packet out of place");
}

}  // namespace msab
