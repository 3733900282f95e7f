#ifndef MSAB_TESTS_CONFORMANCE_FRAME_H_
#define MSAB_TESTS_CONFORMANCE_FRAME_H_

#include <cstdint>
#include <optional>
#include <string>

namespace msab::conformance {

enum Opcode : uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};

// How a frame's length is written (RFC 6455, 5.2). The shortest is the only right one.
enum class Length { kShortest, kIn16Bits, kIn64Bits };

// A frame as a client sends it, right or wrong in every bit.
struct ClientFrame {
  uint8_t opcode = kText;
  std::string payload = {};
  bool fin = true;
  uint8_t reserved = 0;  // the three RSV bits
  bool masked = true;
  uint32_t mask = 0x37fa213d;
  Length length = Length::kShortest;
  std::optional<uint64_t> claimed = {};  // a length that is not the payload's
};

std::string Encode(const ClientFrame& frame);

// The payload of a close frame.
std::string CloseBody(uint16_t code, const std::string& reason = "");

// A frame of the server's.
struct ServerFrame {
  uint8_t opcode = 0;
  bool fin = true;
  std::string payload;
};

// Takes the first whole frame off `bytes`; nothing if there is none yet. Fails the test where the
// server breaks a rule of its own: a mask, a reserved bit or opcode, a length that is not the
// shortest, a long or fragmented control frame.
std::optional<ServerFrame> TakeFrame(std::string& bytes);

}  // namespace msab::conformance

#endif  // MSAB_TESTS_CONFORMANCE_FRAME_H_
