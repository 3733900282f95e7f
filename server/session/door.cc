#include "server/session/door.h"

#include <fmt/format.h>

#include <algorithm>

#include "boost/beast/http/rfc7230.hpp"
#include "boost/beast/http/verb.hpp"

namespace msab {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kNativePath = "/ws";
constexpr std::string_view kSocketIoPath = "/socket.io";
constexpr std::string_view kTokenProtocol = "token.";
constexpr std::string_view kBearer = "bearer ";

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool SameLetters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit` with every part of `text` between `separator`s.
template <typename Visit>
void ForEachPart(std::string_view text, char separator, Visit visit) {
  while (true) {
    const size_t end = text.find(separator);
    visit(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// A query's text as browsers write it: %XX is a byte, + a blank. A % without two digits stands for
// itself, as for them.
std::string Decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() && text[i] == '%' ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// The first parameter of this name; nothing if there is none.
std::optional<std::string> Parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  ForEachPart(query, '&', [&](std::string_view part) {
    const size_t equals = part.find('=');
    if (found || Decoded(part.substr(0, equals)) != name) return;
    found = equals == part.npos ? "" : Decoded(part.substr(equals + 1));
  });
  return found;
}

// The value of a header that is there once; empty if it is absent or there twice.
std::string_view Single(const Door::RequestHead& head, http::field field) {
  return head.count(field) == 1 ? View(head[field]) : std::string_view();
}

bool IsUpgrade(const Door::RequestHead& head) {
  return head.version() >= 11 &&
         http::token_list(head[http::field::connection]).exists("upgrade") &&
         http::token_list(head[http::field::upgrade]).exists("websocket");
}

// A handshake's key is the base64 of 16 bytes.
bool HasWebSocketKey(const Door::RequestHead& head) {
  const std::string_view key = Single(head, http::field::sec_websocket_key);
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, [](char c) {
           return HexDigit(c) >= 0 || (Lower(c) >= 'g' && Lower(c) <= 'z') || c == '+' || c == '/';
         });
}

// "example.com" of "example.com:8080"; "[::1]" of "[::1]:8080".
std::string_view WithoutPort(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const bool in_brackets = colon != authority.npos && authority.find(']', colon) != authority.npos;
  return colon == authority.npos || in_brackets ? authority : authority.substr(0, colon);
}

// The address of a hop as proxies write it: bare, or with a port.
std::optional<IpAddress> HopAddress(std::string_view hop) {
  if (auto address = IpAddress::Parse(hop)) return address;
  std::string_view host = WithoutPort(hop);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return IpAddress::Parse(host);
}

HttpRefusal Plain(int status, std::string_view why) {
  return {status, "text/plain; charset=utf-8", std::string(why) + "\n", {}};
}

// A request that is no good WebSocket handshake; nothing if it is one.
std::optional<HttpRefusal> HandshakeFault(const Door::RequestHead& head) {
  if (head.method() != http::verb::get) return Plain(400, "only GET opens a WebSocket");
  if (!IsUpgrade(head)) {
    HttpRefusal refusal = Plain(426, "this is a WebSocket: connect with ws:// or wss://");
    refusal.headers = {{"Upgrade", "websocket"}};
    return refusal;
  }
  if (Single(head, http::field::sec_websocket_version) != "13") {
    HttpRefusal refusal = Plain(426, "only version 13 of the WebSocket protocol is spoken");
    refusal.headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
    return refusal;
  }
  if (!HasWebSocketKey(head)) return Plain(400, "Sec-WebSocket-Key is missing or malformed");
  return std::nullopt;
}

}  // namespace

DoorVerdict Door::Judge(const RequestHead& head) const {
  const std::string_view target = View(head.target());
  const size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  const std::string_view query =
      question == target.npos ? std::string_view() : target.substr(question + 1);
  if (path == kNativePath) return JudgeNative(head, query);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path == kSocketIoPath) return JudgeSocketIo(head, query);
  return Plain(404, "nothing here: WebSockets are at /ws and /socket.io/");
}

DoorVerdict Door::JudgeNative(const RequestHead& head, std::string_view query) const {
  if (auto fault = HandshakeFault(head)) return *std::move(fault);
  Upgrade upgrade;
  upgrade.dialect = DialectId::kNative;
  upgrade.origin_allowed = OriginAllowed(head);

  std::string from_protocol;
  const auto [first, last] = head.equal_range(http::field::sec_websocket_protocol);
  for (auto it = first; it != last; ++it) {
    ForEachPart(View(it->value()), ',', [&](std::string_view part) {
      const std::string_view protocol = Trimmed(part);
      if (protocol == kSubprotocol) upgrade.subprotocol = true;
      if (protocol.starts_with(kTokenProtocol) && from_protocol.empty()) {
        from_protocol = protocol.substr(kTokenProtocol.size());
      }
    });
  }
  const std::string_view authorization = Single(head, http::field::authorization);
  if (SameLetters(authorization.substr(0, kBearer.size()), kBearer)) {
    upgrade.credentials.token = Trimmed(authorization.substr(kBearer.size()));
  }
  if (upgrade.credentials.token.empty()) upgrade.credentials.token = std::move(from_protocol);
  if (upgrade.credentials.token.empty())
    upgrade.credentials.token = Parameter(query, "token").value_or("");

  upgrade.credentials.cursor = Parameter(query, "cursor");
  if (const auto rooms = Parameter(query, "rooms")) {
    ForEachPart(*rooms, ',', [&upgrade](std::string_view room) {
      if (!room.empty()) upgrade.credentials.rooms.emplace_back(room);
    });
  }
  return upgrade;
}

DoorVerdict Door::JudgeSocketIo(const RequestHead& head, std::string_view query) const {
  // Engine.IO's own numbers and texts, in the order in which it checks. A page of an allowed origin
  // may read them.
  const auto refuse = [&](int code, std::string_view message) -> HttpRefusal {
    HttpRefusal refusal{
        400, "application/json", fmt::format(R"({{"code":{},"message":"{}"}})", code, message), {}};
    const std::string_view origin = Single(head, http::field::origin);
    if (!origin.empty() && OriginAllowed(head)) {
      refusal.headers = {{"Access-Control-Allow-Origin", std::string(origin)},
                         {"Access-Control-Allow-Credentials", "true"},
                         {"Vary", "Origin"}};
    }
    return refusal;
  };
  const std::string transport = Parameter(query, "transport").value_or("");
  if (transport == "polling") {
    return refuse(0, "Transport unknown: set transports: ['websocket']");
  }
  if (transport != "websocket") return refuse(0, "Transport unknown");
  // A session id belongs to a polling session that wants to become a WebSocket: there are none.
  if (!Parameter(query, "sid").value_or("").empty()) return refuse(1, "Session ID unknown");
  if (head.method() != http::verb::get) return refuse(2, "Bad handshake method");
  if (Parameter(query, "EIO") != "4") return refuse(5, "Unsupported protocol version");
  if (HandshakeFault(head)) return refuse(3, "Bad request");
  Upgrade upgrade;
  upgrade.dialect = DialectId::kSocketIo;
  upgrade.origin_allowed = OriginAllowed(head);
  return upgrade;
}

bool Door::OriginAllowed(const RequestHead& head) const {
  // Not a browser: nobody's cookies or pages are at stake.
  if (head.count(http::field::origin) == 0) return true;
  const std::string_view origin = Single(head, http::field::origin);
  if (origin.empty()) return false;
  const std::vector<std::string>& allowed = options_.allowed_origins;
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) return true;
  if (origin == "null") return false;
  if (!allowed.empty()) return std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
  const size_t scheme_end = origin.find("://");
  const std::string_view host = Single(head, http::field::host);
  return scheme_end != origin.npos && !host.empty() &&
         SameLetters(WithoutPort(origin.substr(scheme_end + 3)), WithoutPort(host));
}

bool Door::IsTrusted(const IpAddress& address) const {
  return std::any_of(options_.trusted_proxies.begin(), options_.trusted_proxies.end(),
                     [&address](const AddressRange& range) { return range.Contains(address); });
}

IpAddress Door::ClientAddress(const RequestHead& head, const IpAddress& peer) const {
  if (!IsTrusted(peer)) return peer;
  std::vector<std::string_view> hops;
  const auto [first, last] = head.equal_range("X-Forwarded-For");
  for (auto it = first; it != last; ++it) {
    ForEachPart(View(it->value()), ',',
                [&hops](std::string_view hop) { hops.push_back(Trimmed(hop)); });
  }
  IpAddress client = peer;
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    const auto address = HopAddress(*hop);
    // What a proxy of ours wrote can be read; what can't was the client's own invention.
    if (!address) break;
    client = *address;
    if (!IsTrusted(client)) break;
  }
  return client;
}

HttpRefusal Door::Later(std::string_view why, int retry_after_seconds) {
  HttpRefusal refusal = Plain(503, why);
  refusal.headers = {{"Retry-After", std::to_string(retry_after_seconds)}};
  return refusal;
}

}  // namespace msab
