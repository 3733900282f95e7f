#include "server/base/ids.h"

#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "server/base/clock.h"

namespace msab {
namespace {

// Random bytes, taken from OpenSSL's generator (thread-local there, too) a block at a time: one
// call of it costs as much as everything else an emit does.
class RandomBlock {
 public:
  void Take(uint8_t* out, size_t n) {
    if (left_ < n) {
      RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size()));
      left_ = bytes_.size();
    }
    std::memcpy(out, bytes_.data() + (bytes_.size() - left_), n);
    left_ -= n;
  }

 private:
  std::array<uint8_t, 1024> bytes_;
  size_t left_ = 0;
};

void TakeRandom(uint8_t* out, size_t n) {
  thread_local RandomBlock block;
  block.Take(out, n);
}

}  // namespace

std::string NewEventId() {
  std::array<uint8_t, 16> b;
  TakeRandom(b.data(), b.size());
  const auto millis = static_cast<uint64_t>(Clock::Real().WallMillis());
  for (int i = 0; i < 6; ++i) b[i] = static_cast<uint8_t>(millis >> (40 - 8 * i));
  b[6] = (b[6] & 0x0f) | 0x70;  // version 7
  b[8] = (b[8] & 0x3f) | 0x80;  // the RFC's variant
  static constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  id.reserve(36);
  for (size_t i = 0; i < b.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id.push_back('-');
    id.push_back(kHex[b[i] >> 4]);
    id.push_back(kHex[b[i] & 15]);
  }
  return id;
}

std::string NewConnectionId() {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<uint8_t, 15> b;
  TakeRandom(b.data(), b.size());
  std::string id(b.size(), '\0');
  for (size_t i = 0; i < b.size(); ++i) id[i] = kAlphabet[b[i] & 63];
  return id;
}

std::string NewEpoch() {
  static constexpr char kAlphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::array<uint8_t, 12> b;
  TakeRandom(b.data(), b.size());
  std::string epoch(b.size(), '\0');
  for (size_t i = 0; i < b.size(); ++i) epoch[i] = kAlphabet[b[i] % 36];
  return epoch;
}

}  // namespace msab
