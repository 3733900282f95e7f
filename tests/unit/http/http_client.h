#ifndef MSAB_TESTS_UNIT_HTTP_HTTP_CLIENT_H_
#define MSAB_TESTS_UNIT_HTTP_HTTP_CLIENT_H_

#include <memory>
#include <string>

#include "server/base/address.h"
#include "server/http/http_server.h"

namespace msab::test {

// A blocking HTTP client on a real loopback socket, which sends exactly the bytes it is told to.
class HttpClient {
 public:
  explicit HttpClient(const HostPort& server);
  ~HttpClient();

  void Send(const std::string& bytes);

  // Sends a well-formed request and reads its answer.
  HttpResponse Do(const std::string& method, const std::string& target,
                  const std::string& body = {}, HttpHeaders headers = {});

  // The next answer; `status` 0 if the server closed instead. `to_head`: it answers a HEAD.
  HttpResponse Read(bool to_head = false);

  // True once the server has closed the connection (waits for it; what it sends is dropped).
  bool ReadUntilClosed();

  // The next `n` bytes as they come.
  std::string ReadBytes(size_t n);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_UNIT_HTTP_HTTP_CLIENT_H_
