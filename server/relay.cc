#include "server/relay.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "server/admin/health_pages.h"
#include "server/admin/metric_sources.h"
#include "server/admin/metrics.h"
#include "server/base/clock.h"
#include "server/base/descriptors.h"
#include "server/base/ids.h"
#include "server/base/logging.h"
#include "server/contract/catalog.h"
#include "server/demo/demo_page.h"
#include "server/dispatch/dispatcher.h"
#include "server/http/http_server.h"
#include "server/ingress/api_keys.h"
#include "server/ingress/emitter.h"
#include "server/ingress/event_service.h"
#include "server/ingress/grpc_server.h"
#include "server/ingress/http_twin.h"
#include "server/log/memory_log.h"
#include "server/log/memory_resume_store.h"
#include "server/protocol/native_dialect.h"
#include "server/protocol/socketio_dialect.h"
#include "server/rooms/commands.h"
#include "server/rooms/gift_gateway.h"
#include "server/rooms/room_authorizer.h"
#include "server/rooms/webhook_gifts.h"
#include "server/session/door.h"
#include "server/session/limits.h"
#include "server/session/token_verifier.h"
#include "server/shard/shards.h"
#include "server/upstream/client.h"
#include "server/upstream/url.h"

namespace msab {
namespace {

// What calls under way are given to end once the sessions have left.
constexpr std::chrono::milliseconds kGrace{1'000};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TokenVerifier::Options TokenOptions(const Config::Auth& auth) {
  TokenVerifier::Options options;
  options.secrets = auth.jwt_secrets;
  if (!auth.jwt_keys_file.empty()) options.public_keys_pem = ReadFile(auth.jwt_keys_file);
  options.audience = auth.audience;
  options.max_token_age = auth.max_token_age;
  options.profile_claims = auth.profile_claims;
  return options;
}

ConnectionLimits::Options LimitsOptions(const Config::Ws& ws) {
  const DescriptorShares shares = ShareDescriptors(RaiseDescriptorLimit());
  ConnectionLimits::Options options;
  options.max_connections = ws.max_connections;
  options.max_unauthenticated = ws.max_unauthenticated;
  options.max_per_ip = ws.max_per_ip;
  options.max_sockets = shares.sockets;
  if (shares.connections == 0) return options;
  if (ws.max_connections > shares.connections) {
    LogLine(LogLevel::warn, "ws.max_connections is more than descriptors allow")
        .With("wanted", ws.max_connections)
        .With("allowed", shares.connections);
  }
  if (ws.max_connections == 0 || ws.max_connections > shares.connections) {
    options.max_connections = shares.connections;
  }
  return options;
}

MemoryLog::Options LogOptions(const Config::Log& log) {
  MemoryLog::Options options;
  options.max_events = log.max_events;
  options.max_bytes = log.max_bytes;
  options.max_age_ms = log.max_age;
  options.max_per_audience = log.max_per_audience;
  return options;
}

// A session is worth remembering as long as the events are that it would miss.
MemoryResumeStore::Options ResumeOptions(const Config::Log& log) {
  MemoryResumeStore::Options options;
  options.max_age_ms = log.max_age;
  return options;
}

Shard::Options ShardOptions(const Config& config) {
  Shard::Options options;
  options.inbox = config.shard.inbox;
  options.session.max_message_bytes = config.limits.client_message;
  options.session.high_water = config.ws.high_water;
  options.session.ping_interval = config.ws.ping_interval;
  options.session.ping_timeout = config.ws.ping_timeout;
  options.session.auth_timeout = config.ws.auth_timeout;
  options.session.client_messages =
      Rate::PerSecond(config.limits.client_burst, config.limits.client_rate);
  return options;
}

Emitter::Options EmitterOptions(const Config& config) {
  Emitter::Options options;
  options.max_in_flight = config.grpc.max_in_flight;
  options.idempotency.window_ms = config.idempotency.window;
  options.idempotency.max_entries = config.idempotency.max_entries;
  return options;
}

// Null where no webhook is configured.
absl::StatusOr<std::unique_ptr<WebhookClient>> MakeWebhook(const Config& config,
                                                           const Clock& clock) {
  const Config::Laravel& laravel = config.laravel;
  if (laravel.webhook_url.empty()) return nullptr;
  WebhookClient::Options options;
  options.url = WebhookUrl::Parse(laravel.webhook_url).value();
  options.secrets = laravel.webhook_secrets;
  options.ca_file = laravel.ca_file;
  // A connection that comes back may ask about all of its rooms in one breath.
  options.queue.max_per_user += config.limits.rooms_per_connection;
  return WebhookClient::Create(clock, std::move(options));
}

std::unique_ptr<GiftGateway> MakeGifts(WebhookClient* webhook) {
  if (webhook == nullptr) return std::make_unique<NoGiftGateway>();
  return std::make_unique<WebhookGifts>(*webhook);
}

RoomAuthorizer::Options AuthorizerOptions(const Config::Rooms& rooms) {
  RoomAuthorizer::Options options;
  options.ask_always = rooms.authorize == Config::Rooms::Authorize::kWebhook;
  return options;
}

GrpcServer::Options GrpcOptions(const Config::Grpc& grpc) {
  GrpcServer::Options options;
  options.listen = grpc.listen;
  options.tls_cert = grpc.tls_cert;
  options.tls_key = grpc.tls_key;
  options.client_ca = grpc.client_ca;
  options.reflection = grpc.reflection;
  return options;
}

// The configured keys, and in development mode the demo page's own.
std::vector<ApiKeySetting> AllKeys(const Config::Auth& auth, const std::string& demo_key) {
  std::vector<ApiKeySetting> keys = auth.api_keys;
  if (!demo_key.empty()) keys.push_back({"demo-page", demo_key, true, false});
  return keys;
}

}  // namespace

// Everything, in the order in which it is made; destroyed the other way round.
struct Relay::House {
  House(const Config& settings, std::unique_ptr<const Catalog> the_catalog,
        std::unique_ptr<const TokenVerifier> the_tokens,
        std::unique_ptr<WebhookClient> the_webhook);
  // The shards' threads call the commands, which go first, and the webhook's answers go through
  // both: a start that failed half-way must not leave them running.
  ~House() { StopThreads(); }

  void StopThreads() {
    if (webhook != nullptr) webhook->Stop();
    shards.Stop();
  }

  Shard::House ForShards();
  void DescribeHealth();
  void DescribeMetrics();
  std::vector<HttpRoute> Routes() const;

  const Config config;
  const Clock& clock = Clock::Real();
  const std::unique_ptr<const Catalog> catalog;
  const std::unique_ptr<const TokenVerifier> tokens;
  const Door door;
  const NativeDialect native;
  const SocketIoDialect socketio;
  ConnectionLimits limits;
  MemoryLog log;
  MemoryResumeStore resumes;
  Dispatcher dispatcher;
  Emitter emitter;
  // Commands under way hold sessions, wherever they wait: they go before the shards do.
  Shards shards;
  const std::unique_ptr<WebhookClient> webhook;  // null: none is configured
  const std::unique_ptr<GiftGateway> gifts;
  RoomAuthorizer authorizer;
  Commands commands;
  const std::string demo_key;  // of this run; empty: no development mode
  const ApiKeys keys;
  EventService events;
  HttpTwin twin;
  HealthPages health;
  Metrics metrics;
  std::unique_ptr<const DemoPage> demo;  // in development mode, once the shards listen
  std::atomic<const HttpServer*> scraped_http{nullptr};  // set once `http` is up
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<GrpcServer> grpc;

  int64_t next_trim = 0;  // steady ms

  enum class Drain { kNotYet, kAnswering, kLeaving };
  Drain drain = Drain::kNotYet;
  int64_t answer_until = 0;  // steady ms; kAnswering
  bool gave_up = false;
};

Relay::House::House(const Config& settings, std::unique_ptr<const Catalog> the_catalog,
                    std::unique_ptr<const TokenVerifier> the_tokens,
                    std::unique_ptr<WebhookClient> the_webhook)
    : config(settings),
      catalog(std::move(the_catalog)),
      tokens(std::move(the_tokens)),
      door({config.ws.allowed_origins, config.ws.trusted_proxies}),
      limits(LimitsOptions(config.ws)),
      log(LogOptions(config.log), clock),
      resumes(ResumeOptions(config.log), clock),
      dispatcher(*catalog, clock, log, {config.rooms.leave_grace, config.ws.max_per_user}),
      emitter(*catalog, clock, dispatcher, EmitterOptions(config)),
      shards(static_cast<int>(config.shards), ForShards(), ShardOptions(config)),
      webhook(std::move(the_webhook)),
      gifts(MakeGifts(webhook.get())),
      authorizer(clock, webhook.get(), AuthorizerOptions(config.rooms)),
      commands({*catalog, clock, dispatcher, emitter, *gifts, authorizer},
               {config.limits.rooms_per_connection, {config.limits.chat_per_minute, {}}}),
      demo_key(config.dev.enabled ? NewConnectionId() + NewConnectionId() : ""),
      keys(AllKeys(config.auth, demo_key)),
      events(emitter, keys, {std::chrono::milliseconds(config.grpc.max_deadline)}),
      twin(emitter, keys) {
  DescribeHealth();
  DescribeMetrics();
}

void Relay::House::DescribeHealth() {
  health.Add("draining", HealthPages::Need::kRequired, [this] {
    return emitter.draining() ? absl::UnavailableError("draining") : absl::OkStatus();
  });
  health.Add("log", HealthPages::Need::kRequired, [this] { return log.Health(); });
  if (webhook != nullptr) {
    health.Add("laravel", HealthPages::Need::kHelpful, [this] { return webhook->Health(); });
  }
}

void Relay::House::DescribeMetrics() {
  metrics.Add([this](MetricFamilies& families) { CollectBuild(*catalog, families); });
  metrics.Add([](MetricFamilies& families) { CollectProcess(families); });
  metrics.Add([this](MetricFamilies& families) { CollectEmitter(emitter, families); });
  metrics.Add([this](MetricFamilies& families) { CollectEventService(events, families); });
  metrics.Add([this](MetricFamilies& families) { CollectDispatcher(dispatcher, families); });
  metrics.Add([this](MetricFamilies& families) { CollectLog(log, families); });
  metrics.Add([this](MetricFamilies& families) { CollectResumes(resumes, families); });
  metrics.Add([this](MetricFamilies& families) {
    std::vector<ShardView> views;
    for (const auto& shard : shards.shards()) {
      views.push_back({&shard->read_counters(), &shard->inbox()});
    }
    CollectShards(views, families);
  });
  metrics.Add([this](MetricFamilies& families) { CollectCommands(commands.counters(), families); });
  metrics.Add([this](MetricFamilies& families) { CollectRooms(authorizer, families); });
  if (webhook != nullptr) {
    metrics.Add([this](MetricFamilies& families) { CollectWebhook(*webhook, families); });
  }
  metrics.Add([this](MetricFamilies& families) {
    if (const HttpServer* server = scraped_http.load()) CollectHttp(*server, families);
  });
}

std::vector<HttpRoute> Relay::House::Routes() const {
  std::vector<HttpRoute> routes = twin.Routes();
  for (HttpRoute& route : health.Routes()) routes.push_back(std::move(route));
  routes.push_back(metrics.Route());
  if (demo != nullptr) {
    for (HttpRoute& route : demo->Routes()) routes.push_back(std::move(route));
  }
  return routes;
}

Shard::House Relay::House::ForShards() {
  Shard::House house;
  house.clock = &clock;
  house.dispatcher = &dispatcher;
  house.log = &log;
  house.resumes = &resumes;
  house.commands = &commands;
  house.tokens = tokens.get();
  house.door = &door;
  house.limits = &limits;
  house.dialects[static_cast<size_t>(DialectId::kNative)] = &native;
  house.dialects[static_cast<size_t>(DialectId::kSocketIo)] = &socketio;
  return house;
}

Relay::Relay(std::unique_ptr<House> house) : house_(std::move(house)) {}

Relay::~Relay() { Stop(); }

absl::StatusOr<std::unique_ptr<Relay>> Relay::Start(const Config& config) {
  absl::StatusOr<std::unique_ptr<const Catalog>> catalog = Catalog::Create(config.custom_events);
  if (!catalog.ok()) return catalog.status();
  absl::StatusOr<std::unique_ptr<const TokenVerifier>> tokens =
      TokenVerifier::Create(TokenOptions(config.auth));
  if (!tokens.ok()) return tokens.status();
  absl::StatusOr<std::unique_ptr<WebhookClient>> webhook = MakeWebhook(config, Clock::Real());
  if (!webhook.ok()) return webhook.status();

  auto house =
      std::make_unique<House>(config, *std::move(catalog), *std::move(tokens), *std::move(webhook));
  if (absl::Status listening = house->shards.Listen(config.ws.listen); !listening.ok()) {
    return listening;
  }
  if (house->webhook != nullptr) house->webhook->Start();
  house->shards.Start();
  absl::StatusOr<std::unique_ptr<GrpcServer>> grpc = GrpcServer::Start(
      GrpcOptions(config.grpc), {{v1::EventService::service_full_name(), &house->events}});
  if (!grpc.ok()) return grpc.status();
  house->grpc = *std::move(grpc);
  house->grpc->SetServing(true);
  if (config.dev.enabled) {
    DemoPage::Options demo;
    demo.ws = {config.ws.listen.host, house->shards.port()};
    demo.emit_key = house->demo_key;
    demo.jwt_secret = config.auth.jwt_secrets.front();
    demo.audience = config.auth.audience;
    house->demo = std::make_unique<const DemoPage>(std::move(demo), house->clock);
  }
  // The internal port opens last: whoever is told "ready" there finds all else listening.
  HttpServer::Options http_options;
  http_options.listen = config.http.listen;
  http_options.answer_timeout = std::chrono::milliseconds(config.grpc.max_deadline);
  absl::StatusOr<std::unique_ptr<HttpServer>> http =
      HttpServer::Start(http_options, house->Routes());
  if (!http.ok()) return http.status();
  house->http = *std::move(http);
  house->scraped_http = house->http.get();
  LogLine(LogLevel::info, "relay started")
      .With("version", MSAB_VERSION)
      .With("contract", house->catalog->version())
      .With("epoch", house->log.epoch())
      .With("shards", config.shards)
      .With("ws", HostPort{config.ws.listen.host, house->shards.port()}.ToString())
      .With("http", house->http->address().ToString())
      .With("grpc", house->grpc->address().ToString());
  return std::unique_ptr<Relay>(new Relay(std::move(house)));
}

void Relay::Housekeep() {
  ContinueDrain();
  // Nobody is said to have left while we drain.
  if (house_->drain == House::Drain::kNotYet) house_->dispatcher.SweepDepartures();
  const int64_t now = house_->clock.SteadyMillis();
  if (now < house_->next_trim) return;
  house_->next_trim = now + 1000;
  house_->log.Trim();
  house_->resumes.Trim();
}

void Relay::BeginDrain() {
  LogLine(LogLevel::info, "draining").With("connections", house_->shards.connections());
  house_->emitter.Drain();
  house_->grpc->SetServing(false);
  house_->events.DrainStreams();
  house_->shards.RefuseUpgrades();
  if (house_->webhook != nullptr) house_->webhook->Refuse();
  house_->drain = House::Drain::kAnswering;
  house_->answer_until = house_->clock.SteadyMillis() + house_->config.drain.timeout / 4;
  ContinueDrain();
}

// First the commands that the application is asked about are answered, and the rooms told: the
// Dispatcher stays open that long, for them and for what is in the shards already.
void Relay::ContinueDrain() {
  if (house_->drain != House::Drain::kAnswering) return;
  WebhookClient* const webhook = house_->webhook.get();
  if (webhook != nullptr && webhook->unanswered() > 0) {
    if (house_->clock.SteadyMillis() < house_->answer_until) return;
    // The answers are on their way; no further look is taken at them than the next one.
    if (!std::exchange(house_->gave_up, true)) return webhook->GiveUp();
  }
  house_->drain = House::Drain::kLeaving;
  house_->dispatcher.Drain();
  house_->shards.BeginDrain(house_->config.drain.timeout / 2);
}

bool Relay::Drained() const { return house_->shards.connections() == 0; }

void Relay::Stop() {
  if (house_ == nullptr) return;
  // The internal port goes last of what listens: readiness and metrics are wanted to the end.
  if (house_->grpc != nullptr) house_->grpc->Stop(kGrace);
  if (house_->http != nullptr) house_->http->Stop(kGrace);
  const int64_t cut = house_->shards.connections();
  house_->StopThreads();
  LogLine(LogLevel::info, "relay stopped").With("cut", cut);
  house_.reset();
}

}  // namespace msab
