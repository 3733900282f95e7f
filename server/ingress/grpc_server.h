#ifndef MSAB_INGRESS_GRPC_SERVER_H_
#define MSAB_INGRESS_GRPC_SERVER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/address.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace msab {

// The gRPC port: listens, with TLS or without, and serves what it is given, and beside it
// grpc.health.v1 and, if wanted, reflection. Bounded in message size, in streams a connection, and
// in memory.
//
// Owned by the Relay; one thread calls it.
class GrpcServer {
 public:
  struct Options {
    HostPort listen{};
    // Paths of PEM files. No certificate: plain text. With `client_ca`, clients must show a
    // certificate that it signed.
    std::string tls_cert{};
    std::string tls_key{};
    std::string client_ca{};
    bool reflection = true;
    int max_message = 4 << 20;  // bytes received
    int max_streams = 1'000;    // at a time, on one connection
    // Bytes of calls being received, of all connections: a message is read before its key is known.
    size_t max_memory = size_t{256} << 20;
  };

  // A service, by the full name that health is asked for. It outlives the server.
  struct Served {
    std::string name;
    grpc::Service* service;
  };

  // Health says NOT_SERVING until SetServing. Errors name the address, or the file.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const Options& options,
                                                           const std::vector<Served>& services);

  // Stops at once if Stop was not called.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // What grpc.health.v1 answers, for the server and for each service.
  void SetServing(bool serving);

  // Takes no new calls, lets those under way end for at most `grace`, then cancels them. Blocks
  // until all have ended. Later calls do nothing.
  void Stop(std::chrono::milliseconds grace);

  // Where it listens: the port chosen by the kernel if 0 was asked for.
  const HostPort& address() const { return address_; }

 private:
  GrpcServer(std::unique_ptr<grpc::Server> server, HostPort address,
             std::vector<std::string> names);

  const std::unique_ptr<grpc::Server> server_;
  const HostPort address_;
  const std::vector<std::string> names_;  // of the services
  bool stopped_ = false;
};

}  // namespace msab

#endif  // MSAB_INGRESS_GRPC_SERVER_H_
