#ifndef MSAB_HTTP_HTTP_SERVER_H_
#define MSAB_HTTP_HTTP_SERVER_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/base/address.h"
#include "server/base/counter.h"

namespace msab {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// One request as a handler sees it. A plain value.
struct HttpRequest {
  std::string method;
  std::string path;   // without the query; not percent-decoded
  std::string query;  // behind the '?', or empty
  HttpHeaders headers;
  std::string body;

  // The first header of that name (case doesn't matter), or empty.
  std::string_view Header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  HttpHeaders headers;  // beyond type and length
};

// The answer that the server itself gives where no handler does: the JSON of a google.rpc.Status,
// `code` being the one that belongs to the HTTP status.
HttpResponse HttpError(int status, std::string_view message);

// Answers a request: at most once, on any thread, also after the server is gone (then it does
// nothing). Dropped without a call, the client gets a 500.
using HttpReply = absl::AnyInvocable<void(HttpResponse)>;

// What is served at one method and path.
struct HttpRoute {
  std::string method;  // HEAD is answered where GET is
  std::string path;    // exact
  // Optional: looks at the request before its body is read; what it returns is the answer.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> guard;
  // Runs on the server's thread.
  std::function<void(HttpRequest, HttpReply)> handler;
};

// A small HTTP/1.1 server for the internal port: keep-alive, one request of a connection at a
// time (pipelined ones wait in order), bounded in connections, header, body and time.
//
// It knows nothing of events: it routes by method and exact path. A path it doesn't know is 404
// before anything else is looked at; a known one with another method 405.
//
// Owned by the Relay. Runs one thread of its own, on which all connections live. Start and Stop
// belong to one thread; everything else to any.
class HttpServer {
 public:
  struct Options {
    HostPort listen{};
    size_t max_body = size_t{4} << 20;
    size_t max_head = size_t{16} << 10;
    size_t max_connections = 256;
    std::chrono::milliseconds idle_timeout{60'000};    // from one answer to the next request's head
    std::chrono::milliseconds io_timeout{15'000};      // for a body, or an answer, to pass
    std::chrono::milliseconds answer_timeout{30'000};  // for a handler to answer; else it is 504
  };

  // Counted on the server's thread, read on any.
  struct Stats {
    Counter connections;                   // open now
    Counter refused_connections;           // over max_connections
    Counter accept_failures;               // out of descriptors, mostly
    std::array<Counter, 600> by_status{};  // answers by HTTP status
  };

  // Binds, listens and starts the thread. UNAVAILABLE, naming the address, where that fails.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options,
                                                           std::vector<HttpRoute> routes);

  // Stops at once if Stop was not called.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Accepts no more, lets requests under way be answered for at most `grace`, then ends. Blocks
  // until the thread has ended. Later calls do nothing.
  void Stop(std::chrono::milliseconds grace);

  // Where it listens: the port chosen by the kernel if 0 was asked for.
  const HostPort& address() const;
  const Stats& stats() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab

#endif  // MSAB_HTTP_HTTP_SERVER_H_
