#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/config_settings.h"
#include "tests/support/token_maker.h"

namespace msab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string kSecret = "a-secret-of-more-than-thirty-two-bytes";

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(directory_);
    std::filesystem::current_path(directory_);
  }
  void TearDown() override {
    std::filesystem::current_path("/");
    std::filesystem::remove_all(directory_);
  }

  static std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(name) << text;
    return name;
  }

  // The environment with what the relay refuses to start without, and `more`.
  static Environment With(const Environment& more) {
    Environment environment = more;
    environment.emplace("MSAB_API_KEYS", "laravel:the-key");
    environment.emplace("MSAB_JWT_SECRETS", kSecret);
    return environment;
  }

  static Config Load(const Environment& environment) {
    auto config = LoadConfig(std::nullopt, With(environment));
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? *std::move(config) : Config();
  }
  static Config LoadToml(const std::string& toml, const Environment& environment = {}) {
    auto config = LoadConfig(Write("config.toml", toml), With(environment));
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? *std::move(config) : Config();
  }

  static std::vector<std::string> Lines(const absl::StatusOr<Config>& config) {
    if (config.ok()) return {};
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
    return absl::StrSplit(std::string(config.status().message()), '\n');
  }
  static std::vector<std::string> Faults(const Environment& environment) {
    return Lines(LoadConfig(std::nullopt, With(environment)));
  }
  static std::vector<std::string> TomlFaults(const std::string& toml,
                                             const Environment& environment = {}) {
    return Lines(LoadConfig(Write("config.toml", toml), With(environment)));
  }

 private:
  const std::string directory_ = ::testing::TempDir() + "config-test-" + std::to_string(getpid());
};

TEST_F(ConfigTest, HasTheDefaultsOfTheContract) {
  const Config c = Load({});
  EXPECT_EQ(c.ws.listen.ToString(), "127.0.0.1:8080");
  EXPECT_THAT(c.ws.allowed_origins, IsEmpty());
  EXPECT_THAT(c.ws.trusted_proxies, IsEmpty());
  EXPECT_EQ(c.ws.high_water, size_t{1} << 20);
  EXPECT_EQ(c.ws.ping_interval, 25'000);
  EXPECT_EQ(c.ws.ping_timeout, 60'000);
  EXPECT_EQ(c.ws.auth_timeout, 5'000);
  EXPECT_EQ(c.ws.max_unauthenticated, 1024u);
  EXPECT_EQ(c.ws.max_per_user, 20u);
  EXPECT_EQ(c.ws.max_per_ip, 0u);
  EXPECT_EQ(c.grpc.listen.ToString(), "127.0.0.1:50051");
  EXPECT_TRUE(c.grpc.reflection);
  EXPECT_EQ(c.grpc.tls_cert + c.grpc.tls_key + c.grpc.client_ca, "");
  EXPECT_EQ(c.http.listen.ToString(), "127.0.0.1:9090");
  EXPECT_EQ(c.auth.jwt_keys_file + c.auth.audience, "");
  EXPECT_EQ(c.auth.max_token_age, 86'400'000);
  EXPECT_THAT(c.auth.profile_claims,
              ElementsAre("name", "avatar", "signature", "frame_id", "chat_bubble_id", "gender",
                          "country", "vip_level", "wealth_xp", "charm_xp"));
  EXPECT_EQ(c.log.url, "memory");
  EXPECT_EQ(c.log.max_events, 1'000'000u);
  EXPECT_EQ(c.log.max_bytes, size_t{512} << 20);
  EXPECT_EQ(c.log.max_age, 900'000);
  EXPECT_EQ(c.log.max_per_audience, 10'000u);
  EXPECT_GE(c.shards, 1u);
  EXPECT_LE(c.shards, 64u);
  EXPECT_EQ(c.shard.inbox, 65'536u);
  EXPECT_EQ(c.idempotency.window, 600'000);
  EXPECT_EQ(c.idempotency.max_entries, 1'000'000u);
  EXPECT_EQ(c.rooms.leave_grace, 15'000);
  EXPECT_EQ(c.rooms.authorize, Config::Rooms::Authorize::kOpen);
  EXPECT_EQ(c.drain.timeout, 30'000);
  EXPECT_EQ(c.laravel.webhook_url, "");
  EXPECT_EQ(c.limits.client_message, size_t{16} << 10);
  EXPECT_EQ(c.limits.client_burst, 100u);
  EXPECT_EQ(c.limits.client_rate, 20u);
  EXPECT_EQ(c.limits.chat_per_minute, 60u);
  EXPECT_EQ(c.limits.rooms_per_connection, 50u);
  EXPECT_EQ(c.log_level, "info");
  EXPECT_THAT(ConfigWarnings(c), IsEmpty());
}

TEST_F(ConfigTest, EveryDefaultIsAValueThatItsSettingTakes) {
  for (const Setting& setting : Settings()) {
    if (setting.default_text.empty()) continue;
    EXPECT_THAT(Faults({{setting.Environment(), std::string(setting.default_text)}}), IsEmpty())
        << setting.key;
  }
}

TEST_F(ConfigTest, EnvironmentBeatsTheFile) {
  const std::string toml = "shards = 2\n[ws]\nlisten = \"127.0.0.1:1\"\nhigh_water = \"64KiB\"\n";
  const Config c = LoadToml(toml, {{"MSAB_WS_LISTEN", "0.0.0.0:2"}, {"MSAB_SHARDS", "3"}});
  EXPECT_EQ(c.ws.listen.ToString(), "0.0.0.0:2");
  EXPECT_EQ(c.shards, 3u);
  EXPECT_EQ(c.ws.high_water, 65'536u);
  // Set to nothing is not set: compose files pass on what they don't have.
  EXPECT_EQ(LoadToml(toml, {{"MSAB_WS_LISTEN", ""}}).ws.listen.ToString(), "127.0.0.1:1");
}

TEST_F(ConfigTest, TakesListsAsArraysOrWithCommas) {
  EXPECT_THAT(LoadToml("ws.allowed_origins = ['https://a.example', \"capacitor://localhost\"]")
                  .ws.allowed_origins,
              ElementsAre("https://a.example", "capacitor://localhost"));
  EXPECT_THAT(LoadToml("ws.allowed_origins = 'https://a.example, null'").ws.allowed_origins,
              ElementsAre("https://a.example", "null"));
  EXPECT_THAT(Load({{"MSAB_ALLOWED_ORIGINS", " *, "}}).ws.allowed_origins, ElementsAre("*"));
  // A list replaces the default, it doesn't add to it.
  EXPECT_THAT(LoadToml("auth.profile_claims = ['name']").auth.profile_claims, ElementsAre("name"));
  EXPECT_THAT(LoadToml("auth.profile_claims = []").auth.profile_claims, IsEmpty());
}

TEST_F(ConfigTest, ReadsKeysWithTheirRights) {
  const Config c =
      Load({{"MSAB_API_KEYS", "laravel:k1, ops:k2:admin+emit,board:k3:admin,x:k4:emit"}});
  ASSERT_THAT(c.auth.api_keys, SizeIs(4));
  EXPECT_EQ(c.auth.api_keys[0].name, "laravel");
  EXPECT_EQ(c.auth.api_keys[0].key, "k1");
  std::string rights;
  for (const ApiKeySetting& key : c.auth.api_keys) {
    rights += std::string(key.emit ? "e" : "") + (key.admin ? "a" : "") + " ";
  }
  EXPECT_EQ(rights, "e ea a e ");
}

TEST_F(ConfigTest, ReadsDurationsAndSizesAsPeopleWriteThem) {
  for (const auto& [text, millis] : std::vector<std::pair<std::string, int64_t>>{{"250ms", 250},
                                                                                 {"15s", 15'000},
                                                                                 {"10m", 600'000},
                                                                                 {"1h", 3'600'000},
                                                                                 {"1m30s", 90'000},
                                                                                 {"1 s", 1'000}}) {
    EXPECT_EQ(Load({{"MSAB_WS_PING_INTERVAL", text}}).ws.ping_interval, millis) << text;
  }
  EXPECT_EQ(Load({{"MSAB_ROOMS_LEAVE_GRACE", "0"}}).rooms.leave_grace, 0);
  EXPECT_EQ(Load({{"MSAB_LOG_MAX_AGE", "7d"}}).log.max_age, 604'800'000);
  for (const auto& [text, bytes] :
       std::vector<std::pair<std::string, size_t>>{{"64KiB", 65'536},
                                                   {"1 MiB", 1'048'576},
                                                   {"1gib", 1'073'741'824},
                                                   {"64KB", 64'000},
                                                   {"2048", 2'048},
                                                   {"2048B", 2'048}}) {
    EXPECT_EQ(Load({{"MSAB_WS_HIGH_WATER", text}}).ws.high_water, bytes) << text;
  }
  EXPECT_EQ(LoadToml("ws.high_water = 65_536").ws.high_water, 65'536u);
}

TEST_F(ConfigTest, NamesFileKeyAndFault) {
  EXPECT_THAT(TomlFaults("ws.listen = '80800'"),
              ElementsAre("config.toml: ws.listen: \"80800\" is not host:port"));
  EXPECT_THAT(TomlFaults("ws.listen = 80800"),
              ElementsAre("config.toml: ws.listen: \"80800\" is not host:port"));
  EXPECT_THAT(Faults({{"MSAB_WS_LISTEN", "80800"}}),
              ElementsAre("MSAB_WS_LISTEN: \"80800\" is not host:port"));

  const auto faults_of = [](const std::string& variable, const std::string& value) {
    const auto faults = Faults({{variable, value}});
    EXPECT_THAT(faults, SizeIs(1)) << variable << "=" << value;
    return faults.empty() ? "" : faults.front();
  };
  EXPECT_EQ(faults_of("MSAB_GRPC_LISTEN", "relay.example:80"),
            "MSAB_GRPC_LISTEN: \"relay.example:80\" is not host:port with an IP address "
            "([…] around IPv6) or localhost as host");
  EXPECT_EQ(faults_of("MSAB_WS_PING_INTERVAL", "25"),
            "MSAB_WS_PING_INTERVAL: \"25\" is not a duration such as 250ms, 15s, 10m or 24h");
  EXPECT_EQ(faults_of("MSAB_WS_PING_INTERVAL", "2h"),
            "MSAB_WS_PING_INTERVAL: \"2h\" is not within 10ms and 1h");
  EXPECT_EQ(faults_of("MSAB_WS_HIGH_WATER", "lots"),
            "MSAB_WS_HIGH_WATER: \"lots\" is not a size such as 64KiB, 512MiB or 4096");
  EXPECT_EQ(faults_of("MSAB_WS_HIGH_WATER", "1"),
            "MSAB_WS_HIGH_WATER: \"1\" is not within 1KiB and 1GiB");
  EXPECT_EQ(faults_of("MSAB_SHARDS", "65"), "MSAB_SHARDS: \"65\" is not within 1 and 64");
  EXPECT_EQ(faults_of("MSAB_SHARDS", "0"), "MSAB_SHARDS: \"0\" is not within 1 and 64");
  EXPECT_EQ(faults_of("MSAB_SHARDS", "two"), "MSAB_SHARDS: \"two\" is not a whole number");
  EXPECT_EQ(faults_of("MSAB_GRPC_REFLECTION", "yes"),
            "MSAB_GRPC_REFLECTION: \"yes\" is not true or false");
  EXPECT_EQ(faults_of("MSAB_ROOMS_AUTHORIZE", "ask"),
            "MSAB_ROOMS_AUTHORIZE: \"ask\" is not one of open, webhook");
  EXPECT_EQ(faults_of("MSAB_LOG_LEVEL", "loud"),
            "MSAB_LOG_LEVEL: \"loud\" is not one of trace, debug, info, warn, error, off");
  EXPECT_EQ(faults_of("MSAB_ALLOWED_ORIGINS", "https://a.example/"),
            "MSAB_ALLOWED_ORIGINS: \"https://a.example/\" is not an origin such as "
            "https://app.example (no path), * or null");
  EXPECT_EQ(faults_of("MSAB_WS_TRUSTED_PROXIES", "10.0.0.1/8"),
            "MSAB_WS_TRUSTED_PROXIES: \"10.0.0.1/8\" is not an address or a network such as "
            "10.0.0.0/8");
  EXPECT_EQ(faults_of("MSAB_AUTH_PROFILE_CLAIMS", "name,email"),
            "MSAB_AUTH_PROFILE_CLAIMS: \"email\" is contact data, which is never shown to others");
  EXPECT_EQ(faults_of("MSAB_LARAVEL_WEBHOOK_URL", "app.example/hook"),
            "MSAB_LARAVEL_WEBHOOK_URL: \"app.example/hook\" is not a URL such as "
            "https://app.example/relay/webhook");
}

TEST_F(ConfigTest, RefusesNumbersThatOnlyLookLikeSome) {
  for (const char* text : {"-1s", "+1s", "1.5s", "s", "1", "1x", "1s2", "1s!",
                           "99999999999999999999s", "200000000000d", "1e3s", "0x10s"}) {
    EXPECT_THAT(Faults({{"MSAB_IDEMPOTENCY_WINDOW", text}}), SizeIs(1)) << text;
  }
  for (const char* text :
       {"-1", "1.5MiB", "MiB", "1TiB5", "99999999999999999999", "9999999999GiB", "1KiB1KiB"}) {
    EXPECT_THAT(Faults({{"MSAB_LOG_MAX_BYTES", text}}), SizeIs(1)) << text;
  }
  for (const char* text : {"-1", "1.0", "1 000", "1,000", "0x10", "99999999999999999999"}) {
    EXPECT_THAT(Faults({{"MSAB_LOG_MAX_EVENTS", text}}), SizeIs(1)) << text;
  }
  EXPECT_THAT(TomlFaults("log.max_events = -5"),
              ElementsAre("config.toml: log.max_events: \"-5\" is not a whole number"));
  EXPECT_THAT(TomlFaults("log.max_events = 1.5"), SizeIs(1));
}

TEST_F(ConfigTest, UnknownKeysAreErrors) {
  EXPECT_THAT(TomlFaults("ws.lisen = 'x'"),
              ElementsAre("config.toml: ws.lisen: unknown key (did you mean ws.listen?)"));
  EXPECT_THAT(TomlFaults("[nonsense]\n"), ElementsAre("config.toml: nonsense: unknown key"));
  EXPECT_THAT(TomlFaults("[ws.deeper]\nlisten = 1"),
              ElementsAre("config.toml: ws.deeper.listen: unknown key"));
  EXPECT_THAT(TomlFaults("'ws.listen' = '127.0.0.1:1'"), SizeIs(1));
  EXPECT_THAT(TomlFaults("'custom_events[7]'.name = 'x'"), SizeIs(1));
  EXPECT_THAT(TomlFaults("ws = 5"), ElementsAre("config.toml: ws: is a section, not a setting"));
  EXPECT_THAT(TomlFaults("shards = [1, 2]"), ElementsAre("config.toml: shards: takes one value"));
  EXPECT_THAT(TomlFaults("[shards]"), ElementsAre("config.toml: shards: takes one value"));
  EXPECT_THAT(TomlFaults("[auth.jwt_secrets]"),
              ElementsAre("config.toml: auth.jwt_secrets: takes a list"));
  EXPECT_THAT(TomlFaults("[ws]\n[grpc]\n"), IsEmpty());
  EXPECT_THAT(Faults({{"MSAB_WS_LISEN", "127.0.0.1:1"}}),
              ElementsAre("MSAB_WS_LISEN: unknown setting (did you mean MSAB_WS_LISTEN?)"));
  EXPECT_THAT(Faults({{"MSAB_SOMETHING_ELSE_ALTOGETHER", ""}}),
              ElementsAre("MSAB_SOMETHING_ELSE_ALTOGETHER: unknown setting"));
  EXPECT_THAT(Faults({{"MSAB_CUSTOM_EVENTS", "x"}}), ElementsAre(HasSubstr("in the file only")));
}

TEST_F(ConfigTest, LooksPastWhatAnOrchestratorSaysAboutServices) {
  EXPECT_THAT(Faults({{"MSAB_RELAY_SERVICE_HOST", "10.0.0.1"},
                      {"MSAB_RELAY_SERVICE_PORT", "8080"},
                      {"MSAB_RELAY_SERVICE_PORT_GRPC", "50051"},
                      {"MSAB_RELAY_PORT", "tcp://10.0.0.1:8080"},
                      {"MSAB_RELAY_PORT_8080_TCP", "tcp://10.0.0.1:8080"},
                      {"MSAB_RELAY_PORT_8080_TCP_PROTO", "tcp"},
                      {"MSAB_RELAY_PORT_8080_TCP_PORT", "8080"},
                      {"MSAB_RELAY_PORT_8080_TCP_ADDR", "10.0.0.1"}}),
              IsEmpty());
  EXPECT_THAT(Faults({{"MSAB_WS_PORT", "8080"}}), SizeIs(1));
}

TEST_F(ConfigTest, OneSettingHasOneVariable) {
  EXPECT_EQ(Load({{"MSAB_WS_ALLOWED_ORIGINS", "*"}}).ws.allowed_origins.size(), 1u);
  EXPECT_THAT(Faults({{"MSAB_WS_ALLOWED_ORIGINS", "*"}, {"MSAB_ALLOWED_ORIGINS", "*"}}),
              ElementsAre("MSAB_ALLOWED_ORIGINS: is the same setting as MSAB_WS_ALLOWED_ORIGINS: "
                          "set one of them"));
}

TEST_F(ConfigTest, RefusesToStartOpen) {
  EXPECT_THAT(
      Lines(LoadConfig(std::nullopt, {})),
      ElementsAre(AllOf(HasSubstr("auth.api_keys: missing"), HasSubstr("MSAB_API_KEYS")),
                  AllOf(HasSubstr("auth.jwt_secrets: missing"), HasSubstr("MSAB_JWT_SECRETS"))));
  EXPECT_THAT(Lines(LoadConfig(Write("empty.toml", "auth.api_keys = []"), {})),
              ElementsAre(HasSubstr("empty.toml: auth.api_keys: missing"),
                          HasSubstr("empty.toml: auth.jwt_secrets: missing")));
  EXPECT_THAT(
      Lines(LoadConfig(std::nullopt, {{"MSAB_API_KEYS", ","}, {"MSAB_JWT_SECRETS", kSecret}})),
      ElementsAre(HasSubstr("MSAB_API_KEYS: missing")));
  // Public keys do instead of secrets.
  Write("keys.pem", TestKey::Ec().PublicPem());
  EXPECT_TRUE(
      LoadConfig(std::nullopt, {{"MSAB_API_KEYS", "a:b"}, {"MSAB_JWT_KEYS_FILE", "keys.pem"}})
          .ok());
}

TEST_F(ConfigTest, NeverShowsASecret) {
  const std::vector<Environment> mistakes = {
      {{"MSAB_API_KEYS", "hush"}},
      {{"MSAB_API_KEYS", "laravel:hush:wrong"}},
      {{"MSAB_API_KEYS", "laravel:hush hush"}},
      {{"MSAB_API_KEYS", "lara vel:hush"}},
      {{"MSAB_API_KEYS", "laravel:"}},
      {{"MSAB_API_KEYS", "laravel:hush,laravel:husher"}},
      {{"MSAB_API_KEYS", "laravel:hush,ops:hush"}},
      {{"MSAB_JWT_SECRETS", "hush"}},
      {{"MSAB_JWT_SECRETS", kSecret + ",hush"}},
      {{"MSAB_LARAVEL_WEBHOOK_SECRETS", "hush"}},
      {{"MSAB_LARAVEL_WEBHOOK_SECRETS", "whsec_hush"}},
      {{"MSAB_LARAVEL_WEBHOOK_URL", "https://user:hush@app.example/"},
       {"MSAB_LARAVEL_WEBHOOK_SECRETS", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}}};
  for (const Environment& environment : mistakes) {
    EXPECT_THAT(Faults(environment), ElementsAre(Not(HasSubstr("hush"))))
        << environment.begin()->second;
  }
  EXPECT_THAT(Faults({{"MSAB_JWT_SECRETS", kSecret + ",hush"}}),
              ElementsAre("MSAB_JWT_SECRETS: value 2 has 4 bytes: at least 32 are needed"));

  const std::string printed = PrintConfig(
      Load({{"MSAB_API_KEYS", "laravel:hush-1:admin"},
            {"MSAB_JWT_SECRETS", kSecret},
            {"MSAB_LARAVEL_WEBHOOK_URL", "https://app.example/hook"},
            {"MSAB_LARAVEL_WEBHOOK_SECRETS", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}}));
  EXPECT_THAT(printed, AllOf(Not(HasSubstr("hush")), Not(HasSubstr(kSecret)),
                             Not(HasSubstr("MDEyM")), HasSubstr("\"laravel:****:admin\"")));
}

TEST_F(ConfigTest, TellsEveryFaultAtOnce) {
  EXPECT_THAT(TomlFaults("shards = 0\nbogus = 1\n[ws]\nlisten = 'x'\nhigh_water = 'y'\n",
                         {{"MSAB_GRPC_LISTEN", "z"}, {"MSAB_NO", "1"}}),
              SizeIs(6));
}

TEST_F(ConfigTest, ExplainsAFileThatIsNotToml) {
  EXPECT_THAT(Lines(LoadConfig("no-such.toml", With({}))),
              ElementsAre("no-such.toml: cannot be read"));
  EXPECT_THAT(TomlFaults("shards = 1\nws.listen = = 2\n"),
              ElementsAre(HasSubstr("config.toml: line 2, column ")));
  EXPECT_THAT(TomlFaults("shards = 1\nshards = 2\n"),
              ElementsAre(HasSubstr("config.toml: line 2")));
}

TEST_F(ConfigTest, ChecksWhatBelongsTogether) {
  Write("file.pem", "something");
  EXPECT_THAT(Faults({{"MSAB_GRPC_TLS_CERT", "file.pem"}}),
              ElementsAre("grpc.tls_key: missing: grpc.tls_cert is set"));
  EXPECT_THAT(Faults({{"MSAB_GRPC_CLIENT_CA", "file.pem"}}),
              ElementsAre("MSAB_GRPC_CLIENT_CA: needs grpc.tls_cert and grpc.tls_key"));
  EXPECT_THAT(Faults({{"MSAB_GRPC_TLS_CERT", "file.pem"}, {"MSAB_GRPC_TLS_KEY", "absent.pem"}}),
              ElementsAre("MSAB_GRPC_TLS_KEY: \"absent.pem\" cannot be read or is empty"));
  EXPECT_THAT(Faults({{"MSAB_HTTP_LISTEN", "127.0.0.1:8080"}}),
              ElementsAre("MSAB_HTTP_LISTEN: is the same as ws.listen"));
  EXPECT_THAT(Faults({{"MSAB_HTTP_LISTEN", "127.0.0.1:0"}, {"MSAB_WS_LISTEN", "127.0.0.1:0"}}),
              IsEmpty());
  EXPECT_THAT(Faults({{"MSAB_ROOMS_AUTHORIZE", "webhook"}}),
              ElementsAre("MSAB_ROOMS_AUTHORIZE: \"webhook\" needs laravel.webhook_url"));
  EXPECT_THAT(Faults({{"MSAB_LARAVEL_WEBHOOK_URL", "http://127.0.0.1:8000/hook"}}),
              ElementsAre("laravel.webhook_secrets: missing: laravel.webhook_url is set"));
  const std::string secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
  EXPECT_THAT(Faults({{"MSAB_LARAVEL_WEBHOOK_SECRETS", secret}}),
              ElementsAre("laravel.webhook_url: missing: laravel.webhook_secrets are set"));
  EXPECT_THAT(Faults({{"MSAB_LARAVEL_WEBHOOK_URL", "https://app.example/hook"},
                      {"MSAB_LARAVEL_WEBHOOK_SECRETS", secret + ",whsec_aHVzaA=="}}),
              ElementsAre("MSAB_LARAVEL_WEBHOOK_SECRETS: value 2 is not whsec_ and the base64 of "
                          "24 to 64 bytes"));
  EXPECT_THAT(Faults({{"MSAB_LARAVEL_WEBHOOK_URL", "https://app.example:99999/hook"},
                      {"MSAB_LARAVEL_WEBHOOK_SECRETS", secret}}),
              ElementsAre("MSAB_LARAVEL_WEBHOOK_URL: \"https://app.example:99999/hook\" is not a "
                          "URL such as https://app.example/relay/webhook"));
  EXPECT_THAT(Faults({{"MSAB_LARAVEL_WEBHOOK_URL", "https://me:hush@app.example/hook"},
                      {"MSAB_LARAVEL_WEBHOOK_SECRETS", secret}}),
              ElementsAre("MSAB_LARAVEL_WEBHOOK_URL: must not hold a user name"));
  const auto with_ca = [&](const std::string& url, const std::string& file) {
    return Faults({{"MSAB_LARAVEL_WEBHOOK_URL", url},
                   {"MSAB_LARAVEL_WEBHOOK_SECRETS", secret},
                   {"MSAB_LARAVEL_CA_FILE", file}});
  };
  EXPECT_THAT(with_ca("https://app.example/", "absent.pem"),
              ElementsAre("MSAB_LARAVEL_CA_FILE: \"absent.pem\" cannot be read or is empty"));
  EXPECT_THAT(with_ca("http://app.example/", "file.pem"),
              ElementsAre("MSAB_LARAVEL_CA_FILE: needs an https laravel.webhook_url"));
  EXPECT_THAT(with_ca("https://app.example/", "file.pem"),
              ElementsAre(HasSubstr("MSAB_LARAVEL_CA_FILE: \"file.pem\": no certificate authority "
                                    "in PEM form")));
  EXPECT_THAT(Faults({{"MSAB_JWT_KEYS_FILE", "file.pem"}}),
              ElementsAre("MSAB_JWT_KEYS_FILE: \"file.pem\": no public key in PEM form"));
  EXPECT_THAT(TomlFaults("auth.jwt_keys_file = 'absent.pem'"),
              ElementsAre("config.toml: auth.jwt_keys_file: \"absent.pem\" cannot be read or is "
                          "empty"));
}

TEST_F(ConfigTest, WarnsOfListenersBeyondThisMachine) {
  EXPECT_THAT(ConfigWarnings(Load({{"MSAB_GRPC_LISTEN", "0.0.0.0:50051"}})),
              ElementsAre(HasSubstr("grpc.listen 0.0.0.0:50051")));
  EXPECT_THAT(ConfigWarnings(Load({{"MSAB_WS_LISTEN", "0.0.0.0:8080"}})), IsEmpty());
}

TEST_F(ConfigTest, TheDemoPageIsOffAndForThisMachineOnly) {
  EXPECT_FALSE(Load({}).dev.enabled);
  const Config on = Load({{"MSAB_DEV_ENABLED", "true"}});
  EXPECT_TRUE(on.dev.enabled);
  EXPECT_THAT(ConfigWarnings(on), ElementsAre(HasSubstr("for development only")));
  for (const char* listen : {"0.0.0.0:9090", "192.0.2.1:9090", "[::]:9090"}) {
    EXPECT_THAT(TomlFaults("dev.enabled = true", {{"MSAB_HTTP_LISTEN", listen}}),
                ElementsAre(AllOf(HasSubstr("config.toml: dev.enabled: needs http.listen"),
                                  HasSubstr(listen))));
  }
  EXPECT_EQ(Faults({{"MSAB_DEV_ENABLED", "true"}, {"MSAB_HTTP_LISTEN", "[::1]:9090"}}).size(), 0u);
}

TEST_F(ConfigTest, TheDemoUsersTokensNeedASecret) {
  const std::string pem = Write("keys.pem", TestKey::Rsa().PublicPem());
  const auto faults = Lines(LoadConfig(std::nullopt, {{"MSAB_API_KEYS", "laravel:the-key"},
                                                      {"MSAB_JWT_KEYS_FILE", pem},
                                                      {"MSAB_DEV_ENABLED", "true"}}));
  EXPECT_THAT(faults, ElementsAre(HasSubstr("MSAB_DEV_ENABLED: needs auth.jwt_secrets")));
}

TEST_F(ConfigTest, ReadsCustomEvents) {
  const Config c = LoadToml(R"(
    [[custom_events]]
    name = "App\\Events\\*"
    audience = ["user", "room"]
    class = "latest"
    [[custom_events]]
    name = 'tick'
    audience = "everyone"
  )");
  ASSERT_THAT(c.custom_events, SizeIs(2));
  EXPECT_EQ(c.custom_events[0].name, "App\\Events\\*");
  EXPECT_TRUE(c.custom_events[0].to_user && c.custom_events[0].to_room);
  EXPECT_FALSE(c.custom_events[0].to_everyone);
  EXPECT_EQ(c.custom_events[0].delivery, DeliveryClass::kLatest);
  EXPECT_EQ(c.custom_events[1].name, "tick");
  EXPECT_TRUE(c.custom_events[1].to_everyone);
  EXPECT_EQ(c.custom_events[1].delivery, DeliveryClass::kDurable);
  EXPECT_THAT(LoadToml("custom_events = []").custom_events, IsEmpty());
}

TEST_F(ConfigTest, ExplainsFaultyCustomEvents) {
  EXPECT_THAT(
      TomlFaults(R"(
        [[custom_events]]
        name = "with blank"
        audience = ["users"]
        class = "eternal"
        colour = "red"
        [[custom_events]]
        [[custom_events]]
        name = "a"
        audience = []
        [[custom_events]]
        name = "a"
        audience = ["room"]
      )"),
      ::testing::UnorderedElementsAre(
          HasSubstr("custom_events[0].name: \"with blank\" is not 1 to 128 of"),
          "config.toml: custom_events[0].audience: \"users\" is not one of user, room, everyone",
          "config.toml: custom_events[0].class: \"eternal\" is not one of durable, latest, "
          "ephemeral",
          "config.toml: custom_events[0].colour: unknown key (name, audience and class are known)",
          "config.toml: custom_events[0].audience: missing: one or more of user, room, everyone",
          "config.toml: custom_events[1].name: missing",
          "config.toml: custom_events[1].audience: missing: one or more of user, room, everyone",
          "config.toml: custom_events[2].audience: missing: one or more of user, room, everyone",
          "config.toml: custom_events[3].name: \"a\" is there twice"));
  for (const char* name : {"", "a*b", "**", "a b", "ä"}) {
    EXPECT_THAT(
        TomlFaults("[[custom_events]]\naudience = ['user']\nname = '" + std::string(name) + "'"),
        Not(IsEmpty()))
        << name;
  }
  for (const char* name : {"ping", "connect_error", "balance.updated"}) {
    EXPECT_THAT(
        TomlFaults("[[custom_events]]\naudience = ['user']\nname = '" + std::string(name) + "'"),
        ElementsAre(AllOf(HasSubstr("config.toml: custom_events[0]: "), HasSubstr(name))))
        << name;
  }
  EXPECT_THAT(TomlFaults("custom_events = 5"), SizeIs(1));
  EXPECT_THAT(TomlFaults("custom_events = ['a']"), SizeIs(1));
  EXPECT_THAT(TomlFaults("custom_events = [['a']]"), SizeIs(1));
  EXPECT_THAT(TomlFaults("custom_events = ['a', {name = 'b', audience = 'user'}]"), Not(IsEmpty()));
}

TEST_F(ConfigTest, PrintsWhatItWouldLoad) {
  const Environment environment = {{"MSAB_WS_HIGH_WATER", "65537"},
                                   {"MSAB_WS_TRUSTED_PROXIES", "10.0.0.0/8,::1"},
                                   {"MSAB_AUTH_AUDIENCE", "a \"quoted\" \\ audience"},
                                   {"MSAB_DRAIN_TIMEOUT", "1m30s"},
                                   {"MSAB_SHARDS", "5"}};
  const std::string printed = PrintConfig(
      LoadToml("[[custom_events]]\nname = \"App\\\\*\"\naudience = [\"user\"]", environment));
  // Secrets are masked; everything else comes back as it was.
  std::string loadable;
  for (absl::string_view line : absl::StrSplit(printed, '\n')) {
    if (line.find("****") == line.npos) loadable += std::string(line) + "\n";
  }
  EXPECT_EQ(PrintConfig(LoadToml(loadable)), printed);
  EXPECT_THAT(printed,
              AllOf(HasSubstr("\nhigh_water = \"65537B\"\n"), HasSubstr("\ntimeout = \"90s\"\n"),
                    HasSubstr("\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n")));
}

TEST_F(ConfigTest, PrintsEverySetting) {
  const std::string printed = "\n" + PrintConfig(Load({}));
  const std::string table = SettingsMarkdown();
  std::set<std::string> variables;
  for (const Setting& setting : Settings()) {
    const std::string key(setting.key);
    EXPECT_THAT(printed, HasSubstr("\n" + key.substr(key.find('.') + 1) + " = ")) << key;
    EXPECT_THAT(table, HasSubstr("| `" + key + "` |"));
    EXPECT_TRUE(variables.insert(setting.Environment()).second) << key;
  }
}

TEST_F(ConfigTest, TakesTheProcessesOwnVariables) {
  setenv("MSAB_SHARDS", "7", 1);          // NOLINT(concurrency-mt-unsafe)
  setenv("NOT_OUR_MSAB_SHARDS", "8", 1);  // NOLINT(concurrency-mt-unsafe)
  const Environment environment = RelayEnvironment();
  unsetenv("MSAB_SHARDS");          // NOLINT(concurrency-mt-unsafe)
  unsetenv("NOT_OUR_MSAB_SHARDS");  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(environment.at("MSAB_SHARDS"), "7");
  EXPECT_FALSE(environment.contains("NOT_OUR_MSAB_SHARDS"));
}

}  // namespace
}  // namespace msab
