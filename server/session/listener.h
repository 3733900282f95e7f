#ifndef MSAB_SESSION_LISTENER_H_
#define MSAB_SESSION_LISTENER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "boost/asio/basic_socket_acceptor.hpp"
#include "boost/asio/basic_waitable_timer.hpp"
#include "boost/asio/steady_timer.hpp"
#include "server/base/address.h"
#include "server/session/connection.h"

namespace msab {

// Accepts a shard's share of the connections at the public address: every shard has one with
// SO_REUSEPORT, and the kernel spreads them. Out of descriptors it pauses rather than spins, and
// so that it doesn't take the last of them: the internal ports need theirs (ConnectionLimits).
//
// Owned by its shard. Shard thread only, but for Open.
class Listener {
 public:
  explicit Listener(ConnectionHost& host);

  // Binds and listens, before the shard's thread runs. An address with port 0 is given one: see
  // port().
  absl::Status Open(const HostPort& address);
  uint16_t port() const { return port_; }

  void Start();
  void Stop();

 private:
  using Acceptor = net::basic_socket_acceptor<net::ip::tcp, net::io_context::executor_type>;
  using Timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                          net::wait_traits<std::chrono::steady_clock>,
                                          net::io_context::executor_type>;

  void Accept();
  void Pause(std::string_view why);

  ConnectionHost& host_;
  Acceptor acceptor_;
  Timer pause_;
  uint16_t port_ = 0;
};

}  // namespace msab

#endif  // MSAB_SESSION_LISTENER_H_
