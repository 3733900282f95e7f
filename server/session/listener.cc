#include "server/session/listener.h"

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/detail/socket_option.hpp"
#include "boost/asio/ip/address.hpp"
#include "server/base/logging.h"

namespace msab {
namespace {

constexpr std::chrono::milliseconds kPause{250};

// One line a minute and process, however many shards are out of descriptors.
LogEvery& PauseLog() {
  static LogEvery every(60'000);
  return every;
}

using ReusePort = net::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

}  // namespace

Listener::Listener(ConnectionHost& host)
    : host_(host), acceptor_(host.io().get_executor()), pause_(host.io().get_executor()) {}

absl::Status Listener::Open(const HostPort& address) {
  boost::system::error_code error;
  const auto fail = [&](const char* what) {
    return absl::UnavailableError(
        absl::StrCat("ws.listen: ", what, " ", address.ToString(), ": ", error.message()));
  };
  const net::ip::address ip = net::ip::make_address(address.host, error);
  if (error) return fail("address");
  const net::ip::tcp::endpoint endpoint(ip, address.port);
  acceptor_.open(endpoint.protocol(), error);
  if (error) return fail("socket for");
  acceptor_.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor_.set_option(ReusePort(true), error);
  if (error) return fail("SO_REUSEPORT on");
  acceptor_.bind(endpoint, error);
  if (error) return fail("bind");
  acceptor_.listen(net::socket_base::max_listen_connections, error);
  if (error) return fail("listen on");
  port_ = acceptor_.local_endpoint().port();
  return absl::OkStatus();
}

void Listener::Start() { Accept(); }

void Listener::Stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::Accept() {
  if (host_.limits().full()) return Pause("no descriptor to spare for a further client");
  acceptor_.async_accept(host_.io(), [this](boost::system::error_code error, TcpSocket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      StartConnection(std::move(socket), host_);
    } else if (error != net::error::connection_aborted) {
      // Not error.message(): a virtual call is checked by UBSan through a pipe of its own, for
      // which there is no descriptor now.
      return Pause(std::string(absl::ErrnoToStatus(error.value(), "accept").message()));
    }
    Accept();
  });
}

void Listener::Pause(std::string_view why) {
  host_.sessions().counters().accept_paused.Add();
  uint64_t suppressed = 0;
  if (PauseLog().Due(host_.sessions().NowSteady(), suppressed)) {
    LogLine(LogLevel::warn, "accepting pauses")
        .With("error", why)
        .With("pause_ms", kPause.count())
        .With("suppressed", suppressed);
  }
  pause_.expires_after(kPause);
  pause_.async_wait([this](boost::system::error_code waited) {
    if (!waited) Accept();
  });
}

}  // namespace msab
