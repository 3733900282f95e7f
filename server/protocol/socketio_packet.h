#ifndef MSAB_PROTOCOL_SOCKETIO_PACKET_H_
#define MSAB_PROTOCOL_SOCKETIO_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace msab {

// What a client of Engine.IO 4 says in one text message: a type, a digit, and what belongs to it
// (https://socket.io/docs/v4/engine-io-protocol, "Packet encoding").
enum class EngineIoType : uint8_t {
  kOpen,
  kClose,
  kPing,
  kPong,
  kMessage,  // a Socket.IO packet
  kUpgrade,
  kNoop,
};

// A Socket.IO 5 packet as it stands in the text, its JSON not yet looked at:
//   <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]
// (https://socket.io/docs/v4/socket-io-protocol, "Packet encoding"). Views into the text.
struct SocketIoPacket {
  enum class Type : uint8_t {
    kConnect,
    kDisconnect,
    kEvent,
    kAck,
    kConnectError,
    kBinaryEvent,
    kBinaryAck,
  };

  Type type = Type::kConnect;
  size_t attachments = 0;             // at least 1 for the binary types, else 0
  std::string_view name_space = "/";  // as given, with its query if it has one
  std::optional<int64_t> id;          // wanted in the acknowledgement
  std::string_view json;              // empty: no payload

  bool in_main_namespace() const { return name_space == "/"; }
};

// The type of a text message and the rest of it; nothing if it is no packet.
struct EngineIoPacket {
  EngineIoType type;
  std::string_view rest;
};
std::optional<EngineIoPacket> ParseEngineIo(std::string_view text);

// `text` is what follows Engine.IO's type. Else what is wrong with it, a literal.
std::variant<SocketIoPacket, std::string_view> ParseSocketIo(std::string_view text);

// True for the names that Socket.IO keeps for itself.
bool IsReservedBySocketIo(std::string_view event);

}  // namespace msab

#endif  // MSAB_PROTOCOL_SOCKETIO_PACKET_H_
