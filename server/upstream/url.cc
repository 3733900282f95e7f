#include "server/upstream/url.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace msab {
namespace {

constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
}
bool IsAddressCharacter(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == ':' || c == '.';
}

// Takes "host", "host:port" or "[address]:port" apart.
bool ReadAuthority(std::string_view text, WebhookUrl& url) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == text.npos) return false;
    url.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    if (!std::all_of(url.host.begin(), url.host.end(), IsAddressCharacter)) return false;
  } else {
    const size_t colon = text.find(':');
    url.host = text.substr(0, colon);
    rest = colon == text.npos ? std::string_view() : text.substr(colon);
    if (!std::all_of(url.host.begin(), url.host.end(), IsHostCharacter)) return false;
  }
  if (url.host.empty()) return false;
  if (rest.empty()) return true;
  if (rest.front() != ':') return false;
  const std::string_view port = rest.substr(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  return error == std::errc() && end == port.data() + port.size() && url.port != 0;
}

}  // namespace

std::optional<WebhookUrl> WebhookUrl::Parse(std::string_view text) {
  const bool visible = std::all_of(
      text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isgraph(c) && c != '#'; });
  if (!visible) return std::nullopt;
  WebhookUrl url;
  if (text.starts_with("https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  const uint16_t own_port = url.tls ? kHttpsPort : kHttpPort;
  url.port = own_port;
  const size_t path = std::min(text.find_first_of("/?"), text.size());
  if (!ReadAuthority(text.substr(0, path), url)) return std::nullopt;
  url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  url.header =
      url.host.find(':') == std::string::npos ? url.host : absl::StrCat("[", url.host, "]");
  if (url.port != own_port) absl::StrAppend(&url.header, ":", url.port);
  return url;
}

}  // namespace msab
