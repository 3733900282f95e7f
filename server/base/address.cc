#include "server/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace msab {
namespace {

constexpr std::array<uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kV4PrefixBits = 96;

std::array<uint8_t, 16> Masked(std::array<uint8_t, 16> bytes, int prefix) {
  for (int i = 0; i < 16; ++i) {
    const int bits = std::clamp(prefix - 8 * i, 0, 8);
    bytes[i] &= static_cast<uint8_t>(0xff00 >> bits);
  }
  return bytes;
}

// A number of 1 to `max_digits` digits and nothing else.
std::optional<int> ParseDigits(std::string_view text, size_t max_digits) {
  if (text.empty() || text.size() > max_digits || text.front() == '-') return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  char zero_terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(zero_terminated)) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(zero_terminated, text.data(), text.size());
  zero_terminated[text.size()] = '\0';
  IpAddress address;
  if (inet_pton(AF_INET6, zero_terminated, address.bytes_.data()) == 1) return address;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes_.begin());
  if (inet_pton(AF_INET, zero_terminated, address.bytes_.data() + kV4Prefix.size()) == 1) {
    return address;
  }
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes_.begin());
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, bytes_.data() + kV4Prefix.size(), text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
  }
  return text;
}

IpAddress IpAddress::Household() const {
  if (is_v4()) return *this;
  IpAddress network;
  network.bytes_ = Masked(bytes_, 64);
  return network;
}

std::optional<AddressRange> AddressRange::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto base = IpAddress::Parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  AddressRange range;
  range.base_ = *base;
  if (slash == std::string_view::npos) return range;
  const auto bits = ParseDigits(text.substr(slash + 1), 3);
  // "::ffff:10.0.0.0/104" counts IPv6 bits, "10.0.0.0/8" counts IPv4 bits.
  const bool v4_text = text.find(':') == std::string_view::npos;
  if (!bits || *bits > (v4_text ? 32 : 128)) return std::nullopt;
  range.prefix_ = *bits + (v4_text ? kV4PrefixBits : 0);
  if (Masked(base->bytes(), range.prefix_) != base->bytes()) return std::nullopt;
  return range;
}

bool AddressRange::Contains(const IpAddress& address) const {
  return Masked(address.bytes(), prefix_) == base_.bytes();
}

std::string AddressRange::ToString() const {
  if (prefix_ == 128) return base_.ToString();
  const bool v4 = base_.is_v4() && prefix_ >= kV4PrefixBits;
  return base_.ToString() + "/" + std::to_string(v4 ? prefix_ - kV4PrefixBits : prefix_);
}

std::optional<HostPort> HostPort::Parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ParseDigits(text.substr(colon + 1), 5);
  if (!port || *port > 65'535) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost" && !bracketed) host = "127.0.0.1";
  const auto address = IpAddress::Parse(host);
  const bool v6_text = host.find(':') != std::string_view::npos;
  if (!address || v6_text != bracketed) return std::nullopt;
  return HostPort{std::string(host), static_cast<uint16_t>(*port)};
}

std::string HostPort::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]:" : host + ":") + std::to_string(port);
}

bool HostPort::IsLoopback() const {
  static const AddressRange kV4Loopback = *AddressRange::Parse("127.0.0.0/8");
  static const AddressRange kV6Loopback = *AddressRange::Parse("::1");
  const auto address = IpAddress::Parse(host);
  return address && (kV4Loopback.Contains(*address) || kV6Loopback.Contains(*address));
}

}  // namespace msab
