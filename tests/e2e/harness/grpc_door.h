#ifndef MSAB_TESTS_E2E_HARNESS_GRPC_DOOR_H_
#define MSAB_TESTS_E2E_HARNESS_GRPC_DOOR_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/harness/door.h"

namespace msab::e2e {

// PEM texts for a TLS connection to the gRPC port. The server's certificate must be for
// "localhost", whatever its address.
struct GrpcTls {
  std::string server_ca;
  std::string client_certificate = {};  // empty: none is shown
  std::string client_key = {};
};

// msab.v1.EventService by its generated stub, over a connection of its own.
class GrpcDoor : public Door {
 public:
  // `key` empty: no `authorization` is sent.
  explicit GrpcDoor(const std::string& address, const std::string& key = kApiKey);
  GrpcDoor(const std::string& address, const std::string& key, const GrpcTls& tls);
  ~GrpcDoor() override;

  Answer Emit(const std::string& request) override;
  std::vector<Answer> EmitBatch(const std::vector<std::string>& requests) override;
  Answer GetCursor() override;

  // EmitEventStream. Write and Read may be called by one thread each.
  class Stream {
   public:
    ~Stream();
    bool Write(const std::string& request);
    // The next result; nothing once the server has ended the stream.
    std::optional<Answer> Read();
    // No more requests; then the status with which the stream ended.
    void WritesDone();
    Answer Finish();

   private:
    friend class GrpcDoor;
    struct Impl;
    explicit Stream(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  std::unique_ptr<Stream> OpenStream();

  // grpc.health.v1: the serving status ("SERVING", "NOT_SERVING"), or the error's message.
  std::string Health();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_GRPC_DOOR_H_
