#include "server/protocol/socketio_packet.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace msab {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes the decimal number that `text` begins with; nothing if it is none or too large.
template <typename Int>
std::optional<Int> TakeNumber(std::string_view& text) {
  Int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

}  // namespace

std::optional<EngineIoPacket> ParseEngineIo(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6') return std::nullopt;
  return EngineIoPacket{static_cast<EngineIoType>(text.front() - '0'), text.substr(1)};
}

std::variant<SocketIoPacket, std::string_view> ParseSocketIo(std::string_view text) {
  using Type = SocketIoPacket::Type;
  if (text.empty() || text.front() < '0' || text.front() > '6') return "unknown packet type";
  SocketIoPacket packet;
  packet.type = static_cast<Type>(text.front() - '0');
  text.remove_prefix(1);
  if (packet.type == Type::kBinaryEvent || packet.type == Type::kBinaryAck) {
    const std::optional<size_t> attachments = TakeNumber<size_t>(text);
    if (!attachments || *attachments == 0 || !text.starts_with('-')) {
      return "illegal number of attachments";
    }
    packet.attachments = *attachments;
    text.remove_prefix(1);
  }
  if (text.starts_with('/')) {
    const size_t end = std::min(text.find(','), text.size());
    packet.name_space = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!text.empty() && IsDigit(text.front())) {
    packet.id = TakeNumber<int64_t>(text);
    if (!packet.id) return "illegal acknowledgement id";
  }
  packet.json = text;
  return packet;
}

bool IsReservedBySocketIo(std::string_view event) {
  static constexpr std::array<std::string_view, 6> kReserved = {
      "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"};
  return std::find(kReserved.begin(), kReserved.end(), event) != kReserved.end();
}

}  // namespace msab
