#include "server/config_settings.h"

#include <fmt/format.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "server/config_value.h"

namespace msab {
namespace {

constexpr int64_t kSecond = 1'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;
constexpr size_t kGiB = 1024 * kMiB;

template <typename Kind, typename Value>
std::string PrintToml(const Kind& kind, const Value& value) {
  const std::string text = kind.Print(value);
  return Kind::kQuoted ? TomlString(text) : text;
}

// A setting of one value. `get` gives the config's member, const or not.
template <typename Kind, typename Get>
Setting One(std::string_view key, std::string_view default_text, Kind kind, Get get,
            std::string_view help, std::string_view short_name = {}) {
  Setting setting{key, short_name, default_text, help, false, {}, {}};
  setting.load = [kind, get](const Written& written, Config& config) -> std::vector<std::string> {
    if (written.form != Written::Form::kText) return {"takes one value"};
    std::string fault = kind.Parse(written.items.front(), get(config));
    if (fault.empty()) return {};
    return {std::move(fault)};
  };
  setting.print = [kind, get](const Config& config) { return PrintToml(kind, get(config)); };
  return setting;
}

// A setting of several values.
template <typename Kind, typename Get>
Setting Many(std::string_view key, std::string_view default_text, Kind kind, Get get,
             std::string_view help, std::string_view short_name = {}) {
  Setting setting{key, short_name, default_text, help, true, {}, {}};
  setting.load = [kind, get](const Written& written, Config& config) -> std::vector<std::string> {
    if (written.form == Written::Form::kTable) return {"takes a list"};
    auto& values = get(config);
    values.clear();
    std::vector<std::string> faults;
    for (const std::string& item : written.items) {
      std::string fault = kind.Parse(item, values.emplace_back());
      if (fault.empty()) continue;
      // A secret is not quoted in its fault: say which it is.
      faults.push_back(fault.starts_with('"') ? fault
                                              : fmt::format("value {} {}", values.size(), fault));
    }
    return faults;
  };
  setting.print = [kind, get](const Config& config) {
    std::string text;
    for (const auto& value : get(config)) {
      text += (text.empty() ? "" : ", ") + PrintToml(kind, value);
    }
    return "[" + text + "]";
  };
  return setting;
}

// Reaches a member of a config, const or not. `path` is a name: it can't stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define FIELD(path) \
  [](auto& config) -> auto& { return config.path; }
// NOLINTEND(bugprone-macro-parentheses)

std::vector<Setting> MakeSettings() {
  using Authorize = Config::Rooms::Authorize;
  return {
      One("shards", "auto", kind::Shards{}, FIELD(shards),
          "threads that serve WebSockets; `auto`: the usable cores less an eighth, at least 1"),
      One("log_level", "info", kind::Word{{"trace", "debug", "info", "warn", "error", "off"}},
          FIELD(log_level),
          "least severity written to the log: trace, debug, info, warn, error, off"),

      One("ws.listen", "127.0.0.1:8080", kind::Endpoint{}, FIELD(ws.listen),
          "where WebSockets are accepted; TLS ends at the proxy in front"),
      Many("ws.allowed_origins", "", kind::Origin{}, FIELD(ws.allowed_origins),
           "origins whose pages may connect, exactly; `*`: any; none given: the same host",
           "MSAB_ALLOWED_ORIGINS"),
      Many("ws.trusted_proxies", "", kind::Network{}, FIELD(ws.trusted_proxies),
           "addresses and networks whose `X-Forwarded-For` is believed"),
      One("ws.high_water", "1MiB", kind::Size{kKiB, kGiB}, FIELD(ws.high_water),
          "bytes that may wait for one connection before it is closed as a slow consumer"),
      One("ws.ping_interval", "25s", kind::Duration{10, kHour}, FIELD(ws.ping_interval),
          "silence after which the relay pings"),
      One("ws.ping_timeout", "60s", kind::Duration{10, kHour}, FIELD(ws.ping_timeout),
          "how long it then waits for any sign of life"),
      One("ws.auth_timeout", "5s", kind::Duration{10, 10 * kMinute}, FIELD(ws.auth_timeout),
          "time from accept to a valid token"),
      One("ws.max_unauthenticated", "1024", kind::Count{0, 1'000'000},
          FIELD(ws.max_unauthenticated), "connections without a token yet; 0: no limit"),
      One("ws.max_per_user", "20", kind::Count{0, 1'000'000}, FIELD(ws.max_per_user),
          "connections of one user; 0: no limit"),
      One("ws.max_per_ip", "0", kind::Count{0, 1'000'000}, FIELD(ws.max_per_ip),
          "connections of one address (IPv6: of one /64 network); 0: no limit"),
      One("ws.max_connections", "0", kind::Count{0, 10'000'000}, FIELD(ws.max_connections),
          "connections in all; 0: what the process's descriptors allow"),

      One("grpc.listen", "127.0.0.1:50051", kind::Endpoint{}, FIELD(grpc.listen),
          "where events are emitted over gRPC"),
      One("grpc.tls_cert", "", kind::Text{}, FIELD(grpc.tls_cert),
          "PEM file of the server's certificate chain; none: plain text"),
      One("grpc.tls_key", "", kind::Text{}, FIELD(grpc.tls_key), "PEM file of its private key"),
      One("grpc.client_ca", "", kind::Text{}, FIELD(grpc.client_ca),
          "PEM file of the authorities of client certificates, which are then required"),
      One("grpc.reflection", "true", kind::Flag{}, FIELD(grpc.reflection),
          "server reflection, for grpcurl and its like"),
      One("grpc.max_in_flight", "4096", kind::Count{1, 1'000'000}, FIELD(grpc.max_in_flight),
          "calls and stream messages being worked on at once, the HTTP twin's included"),
      One("grpc.max_deadline", "30s", kind::Duration{10, kHour}, FIELD(grpc.max_deadline),
          "the longest that any one of them may take"),

      One("http.listen", "127.0.0.1:9090", kind::Endpoint{}, FIELD(http.listen),
          "internal port: health, metrics and emitting over HTTP/JSON"),

      Many("auth.api_keys", "", kind::ApiKey{}, FIELD(auth.api_keys),
           "`name:key[:emit+admin]`, at least one; the right is `emit` if none is said",
           "MSAB_API_KEYS"),
      Many("auth.jwt_secrets", "", kind::JwtSecret{}, FIELD(auth.jwt_secrets),
           "HS256 secrets, newest first, 32 bytes or more; at least one of these or a keys file",
           "MSAB_JWT_SECRETS"),
      One("auth.jwt_keys_file", "", kind::Text{}, FIELD(auth.jwt_keys_file),
          "PEM file of RS256 and ES256 public keys", "MSAB_JWT_KEYS_FILE"),
      One("auth.audience", "", kind::Text{}, FIELD(auth.audience),
          "what a token's `aud` must name; none: not checked"),
      One("auth.max_token_age", "24h", kind::Duration{kSecond, 366 * kDay},
          FIELD(auth.max_token_age), "life of a token that has `iat` and no `exp`"),
      Many("auth.profile_claims",
           "name,avatar,signature,frame_id,chat_bubble_id,gender,country,vip_level,wealth_xp,"
           "charm_xp",
           kind::ProfileClaim{}, FIELD(auth.profile_claims),
           "claims of a token that others in a room see; never contact data"),

      One("log.url", "memory", kind::Word{{"memory"}}, FIELD(log.url),
          "where events are kept for replay"),
      One("log.max_events", "1000000", kind::Count{1, 1'000'000'000}, FIELD(log.max_events),
          "events kept"),
      One("log.max_bytes", "512MiB", kind::Size{kKiB, 1024 * kGiB}, FIELD(log.max_bytes),
          "memory for them, the index included"),
      One("log.max_age", "15m", kind::Duration{10, 30 * kDay}, FIELD(log.max_age),
          "how long they are kept"),
      One("log.max_per_audience", "10000", kind::Count{1, 1'000'000'000},
          FIELD(log.max_per_audience), "events kept for one user, room or everyone"),

      One("shard.inbox", "65536", kind::Count{1, 16 * kMiB}, FIELD(shard.inbox),
          "events that may wait for one shard before emits are refused"),

      One("idempotency.window", "10m", kind::Duration{10, 7 * kDay}, FIELD(idempotency.window),
          "how long an event id is remembered"),
      One("idempotency.max_entries", "1000000", kind::Count{1, 100'000'000},
          FIELD(idempotency.max_entries), "event ids remembered"),

      One("rooms.leave_grace", "15s", kind::Duration{0, kHour}, FIELD(rooms.leave_grace),
          "how long a lost connection keeps its user in a room"),
      One("rooms.authorize", "open", kind::Choice<Authorize>{{"open", "webhook"}},
          FIELD(rooms.authorize), "who may join: `open` anybody, `webhook` whom Laravel lets in"),

      One("drain.timeout", "30s", kind::Duration{0, kHour}, FIELD(drain.timeout),
          "time from SIGTERM to exit"),

      One("laravel.webhook_url", "", kind::WebUrl{}, FIELD(laravel.webhook_url),
          "where client commands that Laravel decides on are sent"),
      Many("laravel.webhook_secrets", "", kind::WebhookSecret{}, FIELD(laravel.webhook_secrets),
           "secrets that sign them, `whsec_` and base64"),
      One("laravel.ca_file", "", kind::Text{}, FIELD(laravel.ca_file),
          "PEM file of the authorities that an `https` webhook is checked against; none: the "
          "system's"),

      One("dev.enabled", "false", kind::Flag{}, FIELD(dev.enabled),
          "the demo page at `http.listen`, for one's own machine: it gives tokens to who opens it"),

      One("limits.client_message", "16KiB", kind::Size{64, 64 * kMiB}, FIELD(limits.client_message),
          "size of one client message"),
      One("limits.client_burst", "100", kind::Count{1, 1'000'000}, FIELD(limits.client_burst),
          "client messages at once, per connection"),
      One("limits.client_rate", "20", kind::Count{1, 1'000'000}, FIELD(limits.client_rate),
          "client messages a second in the long run, per connection"),
      One("limits.chat_per_minute", "60", kind::Count{1, 1'000'000}, FIELD(limits.chat_per_minute),
          "chat messages a minute, per user and room"),
      One("limits.rooms_per_connection", "50", kind::Count{1, 10'000},
          FIELD(limits.rooms_per_connection), "rooms that one connection may be in"),
  };
}

#undef FIELD

}  // namespace

std::string Setting::Environment() const {
  std::string name = "MSAB_" + absl::AsciiStrToUpper(std::string(key));
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
}

const std::vector<Setting>& Settings() {
  static const auto* const settings = new std::vector<Setting>(MakeSettings());
  return *settings;
}

std::string TomlString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace msab
