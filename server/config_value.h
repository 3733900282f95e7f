#ifndef MSAB_CONFIG_VALUE_H_
#define MSAB_CONFIG_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/address.h"
#include "server/ingress/api_keys.h"

// How the values of settings are written: each kind reads a text, or says what is wrong with it,
// and writes a value back. A kind's Parse returns the fault, empty if there is none; its Print
// gives the text, and kQuoted says whether TOML wants that in quotes.
namespace msab::kind {

// "127.0.0.1:8080", "[::1]:8080"
struct Endpoint {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, HostPort& value) const;
  std::string Print(const HostPort& value) const { return value.ToString(); }
};

// "250ms", "15s", "10m", "24h", "7d", "1h30m"; a bare 0
struct Duration {
  static constexpr bool kQuoted = true;
  int64_t min = 0;
  int64_t max = 0;
  std::string Parse(std::string_view text, int64_t& value) const;
  std::string Print(int64_t value) const;
};

// "64KiB", "512MiB", "1GiB", "64KB" (of 1,000), "65536"
struct Size {
  static constexpr bool kQuoted = true;
  size_t min = 0;
  size_t max = 0;
  std::string Parse(std::string_view text, size_t& value) const;
  std::string Print(size_t value) const;
};

struct Count {
  static constexpr bool kQuoted = false;
  size_t min = 0;
  size_t max = 0;
  std::string Parse(std::string_view text, size_t& value) const;
  std::string Print(size_t value) const { return std::to_string(value); }
};

// A number of shards, or "auto": one for each usable core but an eighth of them, which are gRPC's
// and the kernel's.
struct Shards {
  static constexpr bool kQuoted = false;
  std::string Parse(std::string_view text, size_t& value) const;
  std::string Print(size_t value) const { return std::to_string(value); }
};

struct Flag {
  static constexpr bool kQuoted = false;
  std::string Parse(std::string_view text, bool& value) const;
  std::string Print(bool value) const { return value ? "true" : "false"; }
};

// Any text on one line; empty: not set.
struct Text {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, std::string& value) const;
  std::string Print(const std::string& value) const { return value; }
};

// One of a few words; `value` is the place in the list, as an enum.
template <typename Enum>
struct Choice {
  static constexpr bool kQuoted = true;
  std::vector<std::string_view> words;
  std::string Parse(std::string_view text, Enum& value) const {
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] == text) {
        value = static_cast<Enum>(i);
        return {};
      }
    }
    std::string fault = "\"" + std::string(text) + "\" is not one of";
    for (const std::string_view word : words) {
      fault += (word == words.front() ? " " : ", ") + std::string(word);
    }
    return fault;
  }
  std::string Print(Enum value) const { return std::string(words[static_cast<size_t>(value)]); }
};

// The same kept as the word itself.
struct Word {
  static constexpr bool kQuoted = true;
  std::vector<std::string_view> words;
  std::string Parse(std::string_view text, std::string& value) const;
  std::string Print(const std::string& value) const { return value; }
};

// "https://app.example", "*", "null"
struct Origin {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, std::string& value) const;
  std::string Print(const std::string& value) const { return value; }
};

// "10.0.0.0/8", "192.0.2.1", "fd00::/8"
struct Network {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, AddressRange& value) const;
  std::string Print(const AddressRange& value) const { return value.ToString(); }
};

// A claim of a token that others may see; contact data never.
struct ProfileClaim {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, std::string& value) const;
  std::string Print(const std::string& value) const { return value; }
};

// "http://…" or "https://…", without a user name or a fragment; empty: not set.
struct WebUrl {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, std::string& value) const;
  std::string Print(const std::string& value) const { return value; }
};

// The kinds below hold secrets: neither Parse nor Print ever shows them.

// "name:key[:emit+admin]"
struct ApiKey {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, ApiKeySetting& value) const;
  std::string Print(const ApiKeySetting& value) const;
};

struct JwtSecret {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, std::string& value) const;
  std::string Print(const std::string&) const { return "****"; }
};

// "whsec_" and the base64 of 24 to 64 bytes
struct WebhookSecret {
  static constexpr bool kQuoted = true;
  std::string Parse(std::string_view text, std::string& value) const;
  std::string Print(const std::string&) const { return "****"; }
};

}  // namespace msab::kind

#endif  // MSAB_CONFIG_VALUE_H_
