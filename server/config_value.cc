#include "server/config_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "server/base/cores.h"
#include "server/registry/registry.h"
#include "server/session/token_verifier.h"
#include "server/upstream/url.h"

namespace msab::kind {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr std::array<Unit, 5> kTimes = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 8> kSizes = {{{"GiB", 1 << 30},
                                         {"MiB", 1 << 20},
                                         {"KiB", 1 << 10},
                                         {"GB", 1'000'000'000},
                                         {"MB", 1'000'000},
                                         {"KB", 1'000},
                                         {"B", 1},
                                         {"", 1}}};
// Far from an overflow, whatever is added up.
constexpr uint64_t kLargest = std::numeric_limits<int64_t>::max() / 4;

std::string Quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

bool SameLetters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return absl::ascii_tolower(static_cast<unsigned char>(x)) ==
           absl::ascii_tolower(static_cast<unsigned char>(y));
  });
}

bool AllOf(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(), [also](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || also.find(c) != also.npos;
  });
}

// The number in front of `text`, which is then cut off it. Nothing for one that is absent, signed
// or beyond kLargest.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > kLargest) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

// One number and its unit in front of `text`, multiplied.
template <size_t N>
std::optional<uint64_t> TakeQuantity(std::string_view& text, const std::array<Unit, N>& units) {
  const auto number = TakeNumber(text);
  if (!number) return std::nullopt;
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto end = std::find_if(text.begin(), text.end(), [](char c) {
    return !absl::ascii_isalpha(static_cast<unsigned char>(c));
  });
  const std::string_view name = text.substr(0, static_cast<size_t>(end - text.begin()));
  for (const Unit& unit : units) {
    if (!SameLetters(unit.name, name)) continue;
    if (*number > kLargest / unit.factor) return std::nullopt;
    text.remove_prefix(name.size());
    return *number * unit.factor;
  }
  return std::nullopt;
}

// `value` in the largest unit that leaves no rest.
template <size_t N>
std::string PrintQuantity(uint64_t value, const std::array<Unit, N>& units) {
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [value](const Unit& u) { return value % u.factor == 0; });
  return fmt::format("{}{}", value / unit->factor, unit->name);
}

}  // namespace

std::string Endpoint::Parse(std::string_view text, HostPort& value) const {
  if (auto endpoint = HostPort::Parse(text)) {
    value = *std::move(endpoint);
    return {};
  }
  const size_t colon = text.rfind(':');
  if (colon != text.npos && colon > 0 &&
      HostPort::Parse("[::]" + std::string(text.substr(colon)))) {
    return Quoted(text) +
           " is not host:port with an IP address ([…] around IPv6) or localhost as host";
  }
  return Quoted(text) + " is not host:port";
}

std::string Duration::Parse(std::string_view text, int64_t& value) const {
  std::string_view rest = text;
  uint64_t total = 0;
  if (text != "0") {
    do {
      const auto part = TakeQuantity(rest, kTimes);
      if (!part || *part > kLargest - total) {
        return Quoted(text) + " is not a duration such as 250ms, 15s, 10m or 24h";
      }
      total += *part;
    } while (!rest.empty());
  }
  value = static_cast<int64_t>(total);
  if (value < min || value > max) {
    return fmt::format("{} is not within {} and {}", Quoted(text), Print(min), Print(max));
  }
  return {};
}

std::string Duration::Print(int64_t value) const {
  // As people write these three.
  if (value == 0) return "0s";
  if (value == 60'000) return "60s";
  if (value == 86'400'000) return "24h";
  return PrintQuantity(static_cast<uint64_t>(value), kTimes);
}

std::string Size::Parse(std::string_view text, size_t& value) const {
  std::string_view rest = text;
  const auto size = TakeQuantity(rest, kSizes);
  if (!size || !rest.empty()) return Quoted(text) + " is not a size such as 64KiB, 512MiB or 4096";
  value = *size;
  if (value < min || value > max) {
    return fmt::format("{} is not within {} and {}", Quoted(text), Print(min), Print(max));
  }
  return {};
}

std::string Size::Print(size_t value) const {
  // Powers of 1,000 are read, but written only in bytes.
  static constexpr std::array<Unit, 4> kWritten = {
      {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};
  return value == 0 ? "0B" : PrintQuantity(value, kWritten);
}

std::string Count::Parse(std::string_view text, size_t& value) const {
  std::string_view rest = text;
  const auto number = TakeNumber(rest);
  if (!number || !rest.empty()) return Quoted(text) + " is not a whole number";
  value = *number;
  if (value < min || value > max) {
    return fmt::format("{} is not within {} and {}", Quoted(text), min, max);
  }
  return {};
}

std::string Shards::Parse(std::string_view text, size_t& value) const {
  if (text == "auto") {
    const int cores = UsableCores();
    value = static_cast<size_t>(std::clamp(cores - (cores + 7) / 8, 1, kMaxShards));
    return {};
  }
  return Count{1, kMaxShards}.Parse(text, value);
}

std::string Flag::Parse(std::string_view text, bool& value) const {
  if (text != "true" && text != "false") return Quoted(text) + " is not true or false";
  value = text == "true";
  return {};
}

std::string Text::Parse(std::string_view text, std::string& value) const {
  if (std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return "has control characters in it";
  }
  value = text;
  return {};
}

std::string Word::Parse(std::string_view text, std::string& value) const {
  size_t place = 0;
  std::string fault = Choice<size_t>{words}.Parse(text, place);
  if (fault.empty()) value = text;
  return fault;
}

std::string Origin::Parse(std::string_view text, std::string& value) const {
  const size_t scheme_end = text.find("://");
  const bool listed = text == "*" || text == "null";
  const bool origin = scheme_end != text.npos && scheme_end > 0 &&
                      AllOf(text.substr(0, scheme_end), "+-.") && text.size() > scheme_end + 3 &&
                      AllOf(text.substr(scheme_end + 3), "-._:[]");
  if (!listed && !origin) {
    return Quoted(text) + " is not an origin such as https://app.example (no path), * or null";
  }
  value = text;
  return {};
}

std::string Network::Parse(std::string_view text, AddressRange& value) const {
  const auto range = AddressRange::Parse(text);
  if (!range) return Quoted(text) + " is not an address or a network such as 10.0.0.0/8";
  value = *range;
  return {};
}

std::string ProfileClaim::Parse(std::string_view text, std::string& value) const {
  static constexpr std::array<std::string_view, 8> kContact = {
      "email",  "email_verified", "phone",  "phone_number", "phone_number_verified",
      "mobile", "address",        "contact"};
  if (text.empty() || text.size() > 64 || !AllOf(text, "_.:/-")) {
    return Quoted(text) + " is not the name of a claim";
  }
  if (std::find(kContact.begin(), kContact.end(), text) != kContact.end()) {
    return Quoted(text) + " is contact data, which is never shown to others";
  }
  if (text == "id") return "\"id\" is always shown: leave it out";
  value = text;
  return {};
}

std::string WebUrl::Parse(std::string_view text, std::string& value) const {
  if (!text.empty()) {
    // Not quoted back: a URL with a user name in it holds a secret.
    const size_t host = text.find("://") == text.npos ? 0 : text.find("://") + 3;
    if (text.substr(host, text.find_first_of("/?", host) - host).find('@') != text.npos) {
      return "must not hold a user name";
    }
    if (!WebhookUrl::Parse(text)) {
      return Quoted(text) + " is not a URL such as https://app.example/relay/webhook";
    }
  }
  value = text;
  return {};
}

std::string ApiKey::Parse(std::string_view text, ApiKeySetting& value) const {
  const size_t first = text.find(':');
  if (first == text.npos) return "is not name:key[:emit+admin]";
  const size_t second = text.find(':', first + 1);
  ApiKeySetting setting;
  setting.name = text.substr(0, first);
  setting.key = text.substr(first + 1, second == text.npos ? text.npos : second - first - 1);
  if (setting.name.empty() || setting.name.size() > 64 || !AllOf(setting.name, "_.-")) {
    return "has a name that is not 1 to 64 letters, digits, '_', '.' or '-'";
  }
  if (setting.key.empty()) return fmt::format("({}) has an empty key", setting.name);
  if (!std::all_of(setting.key.begin(), setting.key.end(),
                   [](unsigned char c) { return absl::ascii_isgraph(c); })) {
    return fmt::format("({}) has a key with blanks or characters beyond ASCII", setting.name);
  }
  if (second == text.npos) {
    setting.emit = true;
  } else {
    std::string_view rights = text.substr(second + 1);
    while (true) {
      const size_t plus = rights.find('+');
      const std::string_view right = rights.substr(0, plus);
      if (right != "emit" && right != "admin") {
        return fmt::format("({}) has rights other than emit, admin or emit+admin", setting.name);
      }
      (right == "emit" ? setting.emit : setting.admin) = true;
      if (plus == rights.npos) break;
      rights.remove_prefix(plus + 1);
    }
  }
  value = std::move(setting);
  return {};
}

std::string ApiKey::Print(const ApiKeySetting& value) const {
  const std::string_view rights = value.emit && value.admin ? "emit+admin"
                                  : value.admin             ? "admin"
                                                            : "emit";
  return fmt::format("{}:****:{}", value.name, rights);
}

std::string JwtSecret::Parse(std::string_view text, std::string& value) const {
  if (text.size() < TokenVerifier::kMinSecretBytes) {
    return fmt::format("has {} bytes: at least {} are needed", text.size(),
                       TokenVerifier::kMinSecretBytes);
  }
  value = text;
  return {};
}

std::string WebhookSecret::Parse(std::string_view text, std::string& value) const {
  static constexpr std::string_view kPrefix = "whsec_";
  std::string bytes;
  if (!text.starts_with(kPrefix) ||
      !absl::Base64Unescape(std::string(text.substr(kPrefix.size())), &bytes) ||
      bytes.size() < 24 || bytes.size() > 64) {
    return "is not whsec_ and the base64 of 24 to 64 bytes";
  }
  value = text;
  return {};
}

}  // namespace msab::kind
