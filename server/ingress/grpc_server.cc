#include "server/ingress/grpc_server.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/grpc_security_constants.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/support/log.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "server/base/clock.h"
#include "server/base/logging.h"

namespace msab {
namespace {

// The reflection plugin puts itself into every ServerBuilder of a program, or doesn't, depending on
// how grpc++_reflection was linked. Here it is there if it is wanted, and not twice.
class Reflection final : public grpc::ServerBuilderOption {
 public:
  explicit Reflection(bool wanted) : wanted_(wanted) {}
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    auto plugin = std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>();
    std::erase_if(*plugins, [&](const auto& other) { return other->name() == plugin->name(); });
    if (wanted_) plugins->push_back(std::move(plugin));
  }

 private:
  const bool wanted_;
};

// What gRPC's core has to say (a failed handshake, mostly) goes into our log, now and then.
void LogGrpc(gpr_log_func_args* said) {
  static LogEvery every(1'000);
  uint64_t suppressed = 0;
  if (!every.Due(Clock::Real().SteadyMillis(), suppressed)) return;
  LogLine line(said->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::warn : LogLevel::info, "grpc");
  line.With("detail", said->message);
  if (suppressed > 0) line.With("suppressed", suppressed);
}

// So does what Protobuf has to say of a call that it can't read. That comes before any key is
// looked at: left to itself it would let a stranger fill stderr.
void LogProtobuf(google::protobuf::LogLevel level, const char* /*file*/, int /*line*/,
                 const std::string& said) {
  static LogEvery every(1'000);
  uint64_t suppressed = 0;
  if (!every.Due(Clock::Real().SteadyMillis(), suppressed)) return;
  LogLine line(level == google::protobuf::LOGLEVEL_FATAL ? LogLevel::err : LogLevel::info,
               "protobuf");
  line.With("detail", said);
  if (suppressed > 0) line.With("suppressed", suppressed);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || content.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  }
  return content;
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(
    const GrpcServer::Options& options) {
  if (options.tls_cert.empty()) return grpc::InsecureServerCredentials();
  const auto cert = ReadFile(options.tls_cert);
  if (!cert.ok()) return cert.status();
  const auto key = ReadFile(options.tls_key);
  if (!key.ok()) return key.status();
  grpc::SslServerCredentialsOptions ssl;
  if (!options.client_ca.empty()) {
    const auto ca = ReadFile(options.client_ca);
    if (!ca.ok()) return ca.status();
    ssl.pem_root_certs = *ca;
    ssl.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  ssl.pem_key_cert_pairs.push_back({*key, *cert});
  return grpc::SslServerCredentials(ssl);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const Options& options,
                                                              const std::vector<Served>& services) {
  gpr_set_log_function(&LogGrpc);
  google::protobuf::SetLogHandler(&LogProtobuf);
  auto credentials = Credentials(options);
  if (!credentials.ok()) return credentials.status();

  grpc::EnableDefaultHealthCheckService(true);
  // grpc++ brings the health service but no description of it; this links ours in.
  google::protobuf::LinkMessageReflection<grpc::health::v1::HealthCheckRequest>();
  grpc::ServerBuilder builder;
  builder.SetOption(std::make_unique<Reflection>(options.reflection));
  int port = 0;
  builder.AddListeningPort(options.listen.ToString(), *std::move(credentials), &port);
  builder.SetMaxReceiveMessageSize(options.max_message);
  builder.SetResourceQuota(grpc::ResourceQuota("ingress").Resize(options.max_memory));
  // A port that is taken is an error, not a share of the other's calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams);
  // A PHP worker keeps its channel for hours and may say nothing for long. Clients may ping every
  // 10 s also without a call; a peer that is gone without a word is noticed within 140 s.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 120'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  std::vector<std::string> names;
  for (const Served& served : services) {
    builder.RegisterService(served.service);
    names.push_back(served.name);
  }

  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", options.listen.ToString(),
        options.tls_cert.empty() ? ""
                                 : ": the address is taken, or certificate and key don't fit"));
  }
  auto started = std::unique_ptr<GrpcServer>(new GrpcServer(
      std::move(server), {options.listen.host, static_cast<uint16_t>(port)}, std::move(names)));
  started->SetServing(false);
  return started;
}

GrpcServer::GrpcServer(std::unique_ptr<grpc::Server> server, HostPort address,
                       std::vector<std::string> names)
    : server_(std::move(server)), address_(std::move(address)), names_(std::move(names)) {}

GrpcServer::~GrpcServer() { Stop(std::chrono::milliseconds(0)); }

void GrpcServer::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface& health = *server_->GetHealthCheckService();
  health.SetServingStatus(serving);
  for (const std::string& name : names_) health.SetServingStatus(name, serving);
}

void GrpcServer::Stop(std::chrono::milliseconds grace) {
  if (std::exchange(stopped_, true)) return;
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
}

}  // namespace msab
