#ifndef MSAB_UPSTREAM_CONNECTION_H_
#define MSAB_UPSTREAM_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "boost/asio/io_context.hpp"
#include "server/upstream/url.h"

namespace msab {

// What an HTTP exchange brought.
struct HttpAnswer {
  int status = 0;  // 0: no answer
  std::string body;
  std::string retry_after;  // the header, as it came
  std::string failure;      // why there is no answer
  bool stale = false;       // a connection that had been kept alive ended before any byte of it
};

// One HTTP/1.1 connection, over TLS where the URL says so, kept alive from exchange to exchange.
// Everything Beast and OpenSSL is behind it, in one translation unit.
//
// Owned by shared_ptr: its pending operations keep it until they return. Lives on its io_context's
// thread.
class WebhookConnection {
 public:
  using Done = absl::AnyInvocable<void(HttpAnswer)>;
  using Clock = std::chrono::steady_clock;

  virtual ~WebhookConnection() = default;

  // Sends `request`, all of its bytes, and hands its answer to `done`, once, later. Connects first
  // if it isn't connected. One exchange at a time. An answer that is not there at `give_up` is
  // none, and ends the connection.
  virtual void Exchange(std::string request, Clock::time_point give_up, Done done) = 0;

  // True if it may be used for a further exchange: connected, the peer wants to keep it.
  virtual bool reusable() const = 0;

  // `on_end` runs, once, if the connection ends while no exchange is under way.
  virtual void WatchIdle(absl::AnyInvocable<void()> on_end) = 0;

  // Ends it. An exchange under way has no answer.
  virtual void Close() = 0;
};

// Makes connections to one URL. Owned by the WebhookClient; outlives them.
class WebhookConnector {
 public:
  struct Options {
    WebhookUrl url;
    std::string ca_file;  // PEM: the authorities to believe; empty: the system's
    std::chrono::milliseconds connect_timeout{2'000};  // name, TCP and TLS together
    size_t max_answer = size_t{1} << 20;               // bytes of a body
  };

  // INVALID_ARGUMENT if the authorities can't be read.
  static absl::StatusOr<std::unique_ptr<WebhookConnector>> Create(Options options);
  ~WebhookConnector();

  std::shared_ptr<WebhookConnection> New(boost::asio::io_context& context);

 private:
  struct Impl;
  explicit WebhookConnector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_CONNECTION_H_
