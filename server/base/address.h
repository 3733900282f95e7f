#ifndef MSAB_BASE_ADDRESS_H_
#define MSAB_BASE_ADDRESS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace msab {

// An IP address as a value: 16 bytes, IPv4 as IPv4-mapped IPv6, so that "1.2.3.4" and
// "::ffff:1.2.3.4" (how a dual-stack socket names the same peer) are one. Any thread.
class IpAddress {
 public:
  IpAddress() = default;  // "::"

  // Nothing for a text that is not an address. No names, no port, no zone.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool is_v4() const;
  std::string ToString() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  // The unit that a limit per address counts: an IPv4 address, or an IPv6 network of 64 bits,
  // which is what one customer is given.
  IpAddress Household() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& address) {
    return H::combine(std::move(h), address.bytes_);
  }

 private:
  std::array<uint8_t, 16> bytes_{};
};

// A network: "10.0.0.0/8", "fd00::/8", or a single address. Any thread.
class AddressRange {
 public:
  // Nothing for a text that is not a range, or has bits set behind its prefix.
  static std::optional<AddressRange> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const;
  std::string ToString() const;

  friend bool operator==(const AddressRange&, const AddressRange&) = default;

 private:
  IpAddress base_;
  int prefix_ = 128;  // bits of the 16 bytes
};

// Where a server listens: a literal address and a port.
struct HostPort {
  std::string host;   // an IP address: IPv6 without brackets
  uint16_t port = 0;  // 0: the kernel picks one

  // From "host:port" or "[v6]:port"; "localhost" is 127.0.0.1. Nothing for anything else.
  static std::optional<HostPort> Parse(std::string_view text);

  std::string ToString() const;
  bool IsLoopback() const;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

}  // namespace msab

#endif  // MSAB_BASE_ADDRESS_H_
