#include "server/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/config_file.h"
#include "server/config_settings.h"
#include "server/session/token_verifier.h"
#include "server/upstream/connection.h"

namespace msab {
namespace {

constexpr std::string_view kCustomEvents = "custom_events";
// In the order of DeliveryClass.
constexpr std::array<std::string_view, 3> kClasses = {"durable", "latest", "ephemeral"};

// How many letters must change to make `a` into `b`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

// " (did you mean X?)" for the name that is close, else nothing.
std::string Suggestion(std::string_view name, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  size_t distance = 4;
  for (const std::string& candidate : known) {
    const size_t d = EditDistance(name, candidate);
    if (d < distance) {
      distance = d;
      best = &candidate;
    }
  }
  return best == nullptr ? "" : fmt::format(" (did you mean {}?)", *best);
}

// True for what Kubernetes and Docker put into a container's environment about a service that is
// called msab-something: MSAB_RELAY_SERVICE_HOST, MSAB_RELAY_PORT_8080_TCP=tcp://10.0.0.1:8080.
bool IsServiceLink(std::string_view name, std::string_view value) {
  const auto has = [name](std::string_view part) { return name.find(part) != name.npos; };
  if (name.ends_with("_SERVICE_HOST") || has("_SERVICE_PORT")) return true;
  if (has("_PORT_") && (has("_TCP") || has("_UDP") || has("_SCTP"))) return true;
  return name.ends_with("_PORT") && value.find("://") != value.npos;
}

bool IsCustomName(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  if (name.ends_with('*')) name.remove_suffix(1);
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || std::string_view("_.:-\\").find(c) != std::string_view::npos;
  });
}

// One life of LoadConfig.
class Loader {
 public:
  Loader(std::optional<std::string> path, const Environment& environment, Secrets secrets)
      : path_(std::move(path)), environment_(environment), secrets_(secrets) {}

  absl::StatusOr<Config> Load() {
    LoadDefaults();
    if (path_) LoadFile();
    LoadEnvironment();
    CheckTokens();
    CheckListeners();
    CheckLaravel();
    CheckDev();
    if (!faults_.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults_, "\n"));
    return std::move(config_);
  }

 private:
  void Fault(const std::string& where, std::string_view what) {
    faults_.push_back(fmt::format("{}: {}", where, what));
  }

  // Where `key` was set, or could have been.
  std::string Where(std::string_view key) const {
    const auto set = set_at_.find(key);
    if (set != set_at_.end()) return set->second;
    return path_ ? fmt::format("{}: {}", *path_, key) : std::string(key);
  }

  bool Faulty(std::string_view key) const { return faulty_.find(key) != faulty_.end(); }

  void Apply(const Setting& setting, const Written& written, const std::string& where) {
    const std::string key(setting.key);
    set_at_[key] = where;
    faulty_.erase(key);
    for (const std::string& fault : setting.load(written, config_)) {
      Fault(where, fault);
      faulty_.insert(key);
    }
  }

  static Written Split(const Setting& setting, std::string_view text) {
    Written written;
    if (!setting.list) {
      written.items.emplace_back(absl::StripAsciiWhitespace(std::string(text)));
      return written;
    }
    written.form = Written::Form::kList;
    for (absl::string_view item : absl::StrSplit(std::string(text), ',')) {
      item = absl::StripAsciiWhitespace(item);
      if (!item.empty()) written.items.emplace_back(item);
    }
    return written;
  }

  void LoadDefaults() {
    for (const Setting& setting : Settings()) {
      setting.load(Split(setting, setting.default_text), config_);
    }
  }

  void LoadFile() {
    absl::StatusOr<FileValues> values = ReadConfigFile(*path_);
    if (!values.ok()) {
      faults_.emplace_back(values.status().message());
      return;
    }
    for (const auto& [key, written] : *values) {
      const std::string where = fmt::format("{}: {}", *path_, key);
      if (key == kCustomEvents || key.starts_with(std::string(kCustomEvents) + "[")) {
        LoadCustomEvent(key, written, where);
        continue;
      }
      const auto setting = std::find_if(Settings().begin(), Settings().end(),
                                        [&name = key](const Setting& s) { return s.key == name; });
      if (setting == Settings().end()) {
        FaultUnknownKey(key, written, where);
      } else if (setting->list && written.form == Written::Form::kText) {
        Apply(*setting, Split(*setting, written.items.front()), where);
      } else {
        Apply(*setting, written, where);
      }
    }
    CheckCustomEvents();
  }

  void FaultUnknownKey(const std::string& key, const Written& written, const std::string& where) {
    const bool section = std::any_of(Settings().begin(), Settings().end(), [&key](const auto& s) {
      return std::string_view(s.key).starts_with(key + ".");
    });
    if (section) {
      if (written.form != Written::Form::kTable) Fault(where, "is a section, not a setting");
      return;
    }
    std::vector<std::string> known;
    for (const Setting& setting : Settings()) known.emplace_back(setting.key);
    Fault(where, "unknown key" + Suggestion(key, known));
  }

  // `key` is "custom_events[0].name" and its like; the index is one that ReadConfigFile made.
  void LoadCustomEvent(const std::string& key, const Written& written, const std::string& where) {
    const size_t close = key.find(']');
    const bool table = written.form == Written::Form::kTable || key.find("].") != key.npos;
    if (close == key.npos || !table) {
      const bool none = written.form == Written::Form::kList && written.items.empty();
      if (!none) Fault(where, "takes tables: [[custom_events]]");
      return;
    }
    const size_t open = kCustomEvents.size();
    const size_t index = std::stoul(key.substr(open + 1, close - open - 1));
    if (index >= config_.custom_events.size()) config_.custom_events.resize(index + 1);
    if (close + 1 == key.size()) return;  // an empty table
    const std::string member = key.substr(close + 2);
    CustomEvent& event = config_.custom_events[index];
    const std::string text = written.form == Written::Form::kText ? written.items.front() : "";
    if (member == "name") {
      event.name = text;
      if (!IsCustomName(text)) {
        Fault(where, fmt::format("\"{}\" is not 1 to 128 of letters, digits, _ . : - and the "
                                 "backslash, with * at the end at most",
                                 text));
      }
    } else if (member == "audience") {
      for (const std::string& word : written.items) {
        if (word == "user") {
          event.to_user = true;
        } else if (word == "room") {
          event.to_room = true;
        } else if (word == "everyone") {
          event.to_everyone = true;
        } else {
          Fault(where, fmt::format("\"{}\" is not one of user, room, everyone", word));
        }
      }
    } else if (member == "class") {
      const auto word = std::find(kClasses.begin(), kClasses.end(), text);
      if (word == kClasses.end()) {
        Fault(where, fmt::format("\"{}\" is not one of durable, latest, ephemeral", text));
      } else {
        event.delivery = static_cast<DeliveryClass>(word - kClasses.begin());
      }
    } else {
      Fault(where, "unknown key (name, audience and class are known)");
    }
  }

  void CheckCustomEvents() {
    std::set<std::string> names;
    for (size_t i = 0; i < config_.custom_events.size(); ++i) {
      const CustomEvent& event = config_.custom_events[i];
      const std::string where = fmt::format("{}: {}[{}]", *path_, kCustomEvents, i);
      const size_t faults = faults_.size();
      if (event.name.empty()) {
        Fault(where + ".name", "missing");
      } else if (!names.insert(event.name).second) {
        Fault(where + ".name", fmt::format("\"{}\" is there twice", event.name));
      }
      if (!event.to_user && !event.to_room && !event.to_everyone) {
        Fault(where + ".audience", "missing: one or more of user, room, everyone");
      }
      if (faults_.size() != faults) continue;
      // What only the contract can judge: a name that it, or a dialect, has already.
      const auto catalog = Catalog::Create({event});
      if (!catalog.ok()) Fault(where, std::string(catalog.status().message()));
    }
  }

  void LoadEnvironment() {
    std::set<std::string, std::less<>> left;
    for (const auto& [name, value] : environment_) left.insert(name);
    std::vector<std::string> known;
    for (const Setting& setting : Settings()) {
      std::string used;
      for (const std::string& name : {setting.Environment(), std::string(setting.short_name)}) {
        if (name.empty()) continue;
        known.push_back(name);
        left.erase(name);
        const auto variable = environment_.find(name);
        if (variable == environment_.end() || variable->second.empty()) continue;
        if (used.empty()) {
          used = name;
          Apply(setting, Split(setting, variable->second), name);
        } else {
          Fault(name, fmt::format("is the same setting as {}: set one of them", used));
        }
      }
    }
    for (const std::string& name : left) {
      if (IsServiceLink(name, environment_.at(name))) continue;
      if (name == "MSAB_CUSTOM_EVENTS") {
        Fault(name, "custom events are listed in the file only, as [[custom_events]]");
      } else {
        Fault(name, "unknown setting" + Suggestion(name, known));
      }
    }
  }

  std::string ReadSettingFile(std::string_view key, const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file || text.empty()) {
      Fault(Where(key), fmt::format("\"{}\" cannot be read or is empty", path));
      text.clear();
    }
    return text;
  }

  void CheckTokens() {
    const Config::Auth& auth = config_.auth;
    const bool required = secrets_ == Secrets::kRequired;
    if (required && auth.api_keys.empty()) {
      Fault(Where("auth.api_keys"),
            "missing: set at least one as name:key[:emit+admin] (environment: MSAB_API_KEYS)");
    }
    std::set<std::string> names;
    std::set<std::string> keys;
    for (const ApiKeySetting& key : auth.api_keys) {
      if (Faulty("auth.api_keys")) break;
      if (!names.insert(key.name).second || !keys.insert(key.key).second) {
        Fault(Where("auth.api_keys"),
              fmt::format("{} has a name or a key that another has", key.name));
      }
    }
    if (required && auth.jwt_secrets.empty() && auth.jwt_keys_file.empty()) {
      Fault(Where("auth.jwt_secrets"),
            "missing: set a secret of 32 bytes or more (environment: MSAB_JWT_SECRETS), or "
            "auth.jwt_keys_file (MSAB_JWT_KEYS_FILE)");
    }
    if (!auth.jwt_keys_file.empty()) {
      TokenVerifier::Options options;
      options.public_keys_pem = ReadSettingFile("auth.jwt_keys_file", auth.jwt_keys_file);
      if (options.public_keys_pem.empty()) return;
      const auto verifier = TokenVerifier::Create(std::move(options));
      if (!verifier.ok()) {
        Fault(Where("auth.jwt_keys_file"), fmt::format("\"{}\": {}", auth.jwt_keys_file,
                                                       std::string(verifier.status().message())));
      }
    }
  }

  void CheckListeners() {
    const std::array<std::pair<std::string_view, const HostPort*>, 3> listeners = {
        {{"ws.listen", &config_.ws.listen},
         {"grpc.listen", &config_.grpc.listen},
         {"http.listen", &config_.http.listen}}};
    for (size_t i = 0; i < listeners.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (listeners[i].second->port != 0 && *listeners[i].second == *listeners[j].second) {
          Fault(Where(listeners[i].first), fmt::format("is the same as {}", listeners[j].first));
        }
      }
    }
    const Config::Grpc& grpc = config_.grpc;
    if (grpc.tls_cert.empty() != grpc.tls_key.empty()) {
      const bool cert = grpc.tls_cert.empty();
      Fault(Where(cert ? "grpc.tls_cert" : "grpc.tls_key"),
            fmt::format("missing: {} is set", cert ? "grpc.tls_key" : "grpc.tls_cert"));
    }
    if (!grpc.client_ca.empty() && grpc.tls_cert.empty()) {
      Fault(Where("grpc.client_ca"), "needs grpc.tls_cert and grpc.tls_key");
    }
    for (const auto& [key, path] :
         {std::pair("grpc.tls_cert", &grpc.tls_cert), std::pair("grpc.tls_key", &grpc.tls_key),
          std::pair("grpc.client_ca", &grpc.client_ca)}) {
      if (!path->empty()) ReadSettingFile(key, *path);
    }
  }

  void CheckLaravel() {
    const Config::Laravel& laravel = config_.laravel;
    if (!laravel.webhook_url.empty() && laravel.webhook_secrets.empty()) {
      Fault(Where("laravel.webhook_secrets"), "missing: laravel.webhook_url is set");
    }
    if (laravel.webhook_url.empty() && !laravel.webhook_secrets.empty() &&
        !Faulty("laravel.webhook_url") && !Faulty("laravel.webhook_secrets")) {
      Fault(Where("laravel.webhook_url"), "missing: laravel.webhook_secrets are set");
    }
    if (!laravel.ca_file.empty()) {
      if (ReadSettingFile("laravel.ca_file", laravel.ca_file).empty()) return;
      const std::optional<WebhookUrl> url = WebhookUrl::Parse(laravel.webhook_url);
      if (!url || !url->tls) {
        if (!Faulty("laravel.webhook_url")) {
          Fault(Where("laravel.ca_file"), "needs an https laravel.webhook_url");
        }
        return;
      }
      const auto connector = WebhookConnector::Create({.url = *url, .ca_file = laravel.ca_file});
      if (!connector.ok()) {
        Fault(Where("laravel.ca_file"), fmt::format("\"{}\": {}", laravel.ca_file,
                                                    std::string(connector.status().message())));
      }
    }
    if (config_.rooms.authorize == Config::Rooms::Authorize::kWebhook &&
        laravel.webhook_url.empty() && !Faulty("laravel.webhook_url")) {
      Fault(Where("rooms.authorize"), "\"webhook\" needs laravel.webhook_url");
    }
  }

  // Who can open the demo page can be its users: that must be nobody but this machine's.
  void CheckDev() {
    if (!config_.dev.enabled || Faulty("dev.enabled")) return;
    if (!Faulty("http.listen") && !config_.http.listen.IsLoopback()) {
      Fault(Where("dev.enabled"),
            fmt::format("needs http.listen on this machine alone (127.0.0.1:9090 or [::1]:9090), "
                        "and it is {}: the demo page gives tokens to whoever opens it",
                        config_.http.listen.ToString()));
    }
    if (secrets_ == Secrets::kRequired && config_.auth.jwt_secrets.empty()) {
      Fault(Where("dev.enabled"), "needs auth.jwt_secrets: the first signs the demo users' tokens");
    }
  }

  const std::optional<std::string> path_;
  const Environment& environment_;
  const Secrets secrets_;
  Config config_;
  std::vector<std::string> faults_;
  std::map<std::string, std::string, std::less<>> set_at_;  // key → "config.toml: key" or variable
  std::set<std::string, std::less<>> faulty_;
};

}  // namespace

Environment RelayEnvironment() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const size_t equals = text.find('=');
    if (!text.starts_with("MSAB_") || equals == text.npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

absl::StatusOr<Config> LoadConfig(const std::optional<std::string>& path,
                                  const Environment& environment, Secrets secrets) {
  return Loader(path, environment, secrets).Load();
}

std::vector<std::string> ConfigWarnings(const Config& config) {
  std::vector<std::string> warnings;
  if (config.grpc.tls_cert.empty() && !config.grpc.listen.IsLoopback()) {
    warnings.push_back(fmt::format(
        "grpc.listen {} is beyond this machine, and API keys pass in plain text: set grpc.tls_cert "
        "and grpc.tls_key, or let only trusted networks reach it",
        config.grpc.listen.ToString()));
  }
  if (!config.http.listen.IsLoopback()) {
    warnings.push_back(
        fmt::format("http.listen {} is beyond this machine: metrics and the emitting API are meant "
                    "for an internal network",
                    config.http.listen.ToString()));
  }
  if (config.dev.enabled) {
    warnings.push_back(fmt::format(
        "dev.enabled: the demo page at http://{}/ gives its users' tokens to whoever opens it on "
        "this machine, and lets them emit: for development only",
        config.http.listen.ToString()));
  }
  return warnings;
}

std::string PrintConfig(const Config& config) {
  std::string out;
  std::string_view section;
  for (const Setting& setting : Settings()) {
    const size_t dot = setting.key.find('.');
    const std::string_view of = dot == setting.key.npos ? "" : setting.key.substr(0, dot);
    if (of != section) {
      section = of;
      out += fmt::format("\n[{}]\n", section);
    }
    out += fmt::format("{} = {}\n",
                       dot == setting.key.npos ? setting.key : setting.key.substr(dot + 1),
                       setting.print(config));
  }
  for (const CustomEvent& event : config.custom_events) {
    std::vector<std::string> audience;
    if (event.to_user) audience.push_back(TomlString("user"));
    if (event.to_room) audience.push_back(TomlString("room"));
    if (event.to_everyone) audience.push_back(TomlString("everyone"));
    out += fmt::format("\n[[{}]]\nname = {}\naudience = [{}]\nclass = {}\n", kCustomEvents,
                       TomlString(event.name), absl::StrJoin(audience, ", "),
                       TomlString(kClasses[static_cast<size_t>(event.delivery)]));
  }
  return out;
}

std::string SettingsMarkdown() {
  std::string out = "| key | environment | default | what it is |\n|---|---|---|---|\n";
  for (const Setting& setting : Settings()) {
    const std::string name =
        setting.short_name.empty() ? setting.Environment() : std::string(setting.short_name);
    out +=
        fmt::format("| `{}` | `{}` | {} | {} |\n", setting.key, name,
                    setting.default_text.empty() ? "" : fmt::format("`{}`", setting.default_text),
                    setting.help);
  }
  return out;
}

}  // namespace msab
