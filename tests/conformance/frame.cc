#include "tests/conformance/frame.h"

#include <gtest/gtest.h>

namespace msab::conformance {
namespace {

constexpr size_t kMaxShort = 125;
constexpr size_t kMax16Bits = 0xffff;

void AppendBigEndian(std::string& bytes, uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift & 0xff);
  }
}

uint64_t BigEndian(const std::string& bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

}  // namespace

std::string Encode(const ClientFrame& frame) {
  std::string bytes;
  bytes += static_cast<char>((frame.fin ? 0x80 : 0) | frame.reserved << 4 | frame.opcode);
  const uint64_t size = frame.claimed.value_or(frame.payload.size());
  const int masked = frame.masked ? 0x80 : 0;
  if (frame.length == Length::kIn64Bits ||
      (frame.length == Length::kShortest && size > kMax16Bits)) {
    bytes += static_cast<char>(masked | 127);
    AppendBigEndian(bytes, size, 8);
  } else if (frame.length == Length::kIn16Bits || size > kMaxShort) {
    bytes += static_cast<char>(masked | 126);
    AppendBigEndian(bytes, size, 2);
  } else {
    bytes += static_cast<char>(masked | static_cast<int>(size));
  }
  if (!frame.masked) return bytes + frame.payload;
  std::string key;
  AppendBigEndian(key, frame.mask, 4);
  bytes += key;
  for (size_t i = 0; i < frame.payload.size(); ++i) {
    bytes += static_cast<char>(frame.payload[i] ^ key[i % 4]);
  }
  return bytes;
}

std::string CloseBody(uint16_t code, const std::string& reason) {
  std::string body;
  AppendBigEndian(body, code, 2);
  return body + reason;
}

std::optional<ServerFrame> TakeFrame(std::string& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<uint8_t>(bytes[0]);
  const auto second = static_cast<uint8_t>(bytes[1]);
  ServerFrame frame;
  frame.fin = (first & 0x80) != 0;
  frame.opcode = first & 0x0f;
  EXPECT_EQ(first & 0x70, 0) << "a reserved bit without an extension";
  EXPECT_EQ(second & 0x80, 0) << "a server must not mask";
  size_t header = 2;
  uint64_t size = second & 0x7f;
  if (size > kMaxShort) {
    header += size == 126 ? 2 : 8;
    if (bytes.size() < header) return std::nullopt;
    size = BigEndian(bytes, 2, header - 2);
    EXPECT_GT(size, header == 4 ? kMaxShort : kMax16Bits) << "not the shortest length";
  }
  if (bytes.size() < header + size) return std::nullopt;
  const bool control = (frame.opcode & 0x8) != 0;
  EXPECT_TRUE(frame.opcode <= kBinary || (frame.opcode >= kClose && frame.opcode <= kPong))
      << "a reserved opcode";
  EXPECT_TRUE(!control || (frame.fin && size <= kMaxShort)) << "a long or cut control frame";
  frame.payload = bytes.substr(header, size);
  bytes.erase(0, header + size);
  return frame;
}

}  // namespace msab::conformance
