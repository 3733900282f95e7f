#ifndef MSAB_CONFIG_H_
#define MSAB_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/address.h"
#include "server/contract/catalog.h"
#include "server/ingress/api_keys.h"

namespace msab {

// Every setting of the relay, typed. A plain value: loaded once, at start, by LoadConfig, then
// constant; each part of the house is given what it needs of it by the composition root. The
// nesting is that of the keys: `ws.high_water` is config.ws.high_water. Names, defaults, texts and
// limits of all settings stand in one table, in config_settings.cc. Durations are milliseconds,
// sizes bytes; 0 means "no limit" where the table says so.
struct Config {
  struct Ws {
    HostPort listen;
    std::vector<std::string> allowed_origins;  // empty: same host; "*": any; else exact
    std::vector<AddressRange> trusted_proxies;
    size_t high_water = 0;
    int64_t ping_interval = 0;
    int64_t ping_timeout = 0;
    int64_t auth_timeout = 0;
    size_t max_unauthenticated = 0;
    size_t max_per_user = 0;     // 0: no limit
    size_t max_per_ip = 0;       // 0: no limit
    size_t max_connections = 0;  // of the process; 0: what its descriptors allow
  } ws;

  struct Grpc {
    HostPort listen;
    std::string tls_cert;  // paths of PEM files; empty: plain text
    std::string tls_key;
    std::string client_ca;
    bool reflection = false;
    size_t max_in_flight = 0;  // calls and stream messages being worked on, gRPC and its twin
    int64_t max_deadline = 0;  // no call may take longer, whatever its own deadline says
  } grpc;

  struct Http {
    HostPort listen;
  } http;

  struct Auth {
    std::vector<ApiKeySetting> api_keys;   // at least one
    std::vector<std::string> jwt_secrets;  // newest first; at least one of these or a keys file
    std::string jwt_keys_file;
    std::string audience;  // empty: not checked
    int64_t max_token_age = 0;
    std::vector<std::string> profile_claims;
  } auth;

  struct Log {
    std::string url;
    size_t max_events = 0;
    size_t max_bytes = 0;
    int64_t max_age = 0;
    size_t max_per_audience = 0;
  } log;

  size_t shards = 0;

  struct Shard {
    size_t inbox = 0;
  } shard;

  struct Idempotency {
    int64_t window = 0;
    size_t max_entries = 0;
  } idempotency;

  struct Rooms {
    enum class Authorize { kOpen, kWebhook };
    int64_t leave_grace = 0;
    Authorize authorize = Authorize::kOpen;
  } rooms;

  struct Drain {
    int64_t timeout = 0;
  } drain;

  struct Laravel {
    std::string webhook_url;  // empty: no webhook
    std::vector<std::string> webhook_secrets;
    std::string ca_file;  // path of a PEM file; empty: the system's authorities
  } laravel;

  struct Dev {
    bool enabled = false;  // only with http.listen on this machine
  } dev;

  struct Limits {
    size_t client_message = 0;   // bytes
    size_t client_burst = 0;     // messages
    size_t client_rate = 0;      // messages a second
    size_t chat_per_minute = 0;  // per user and room
    size_t rooms_per_connection = 0;
  } limits;

  std::string log_level;  // one of spdlog's: trace debug info warn error off

  std::vector<CustomEvent> custom_events;
};

// The process's environment variables that begin with MSAB_.
using Environment = std::map<std::string, std::string>;
Environment RelayEnvironment();

// Loads the settings: the defaults, then the TOML file if one is named, then the environment,
// where an empty variable counts as absent. INVALID_ARGUMENT lists every fault, a line each:
// `config.toml: ws.listen: "80800" is not host:port`. Values of secrets are never in it.
//
// `kOptional` is for what needs none of the house's secrets: printing the contract.
enum class Secrets { kRequired, kOptional };
absl::StatusOr<Config> LoadConfig(const std::optional<std::string>& path,
                                  const Environment& environment,
                                  Secrets secrets = Secrets::kRequired);

// What is unwise but allowed, a line each, for the log at start (a public listener without TLS).
std::vector<std::string> ConfigWarnings(const Config& config);

// The effective settings as a TOML file that LoadConfig takes, secrets masked.
std::string PrintConfig(const Config& config);

// The table of all settings in Markdown, for the README.
std::string SettingsMarkdown();

}  // namespace msab

#endif  // MSAB_CONFIG_H_
