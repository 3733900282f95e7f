#ifndef MSAB_SESSION_LIMITS_H_
#define MSAB_SESSION_LIMITS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/base/address.h"

namespace msab {

// How many connections the public listener holds, in all, without a token yet, and per address.
// One for the process, owned by the composition root; outlives every Ticket. Any thread.
class ConnectionLimits {
 public:
  struct Options {
    size_t max_connections = 0;      // 0: no limit
    size_t max_unauthenticated = 0;  // 0: no limit
    size_t max_per_ip = 0;           // 0: no limit; IPv6 counts by network of 64 bits
    // Sockets, those of connections that are being refused included. 0: no limit.
    size_t max_sockets = 0;
  };

  enum class Refusal { kNone, kConnections, kUnauthenticated, kAddress };

  // A connection's socket, and its place if it was admitted; given back when destroyed. Belongs to
  // its connection, on its thread.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept { *this = std::move(other); }
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { Release(); }

    // Once its address is known (a proxy names it in the request's head). kAddress: too many.
    Refusal ClaimAddress(const IpAddress& address);

    // From here on it counts as authenticated.
    void Authenticated();

    // As claimed; "::" before that.
    const IpAddress& address() const { return address_; }

   private:
    friend class ConnectionLimits;
    void Release();

    ConnectionLimits* limits_ = nullptr;
    bool admitted_ = false;
    bool unauthenticated_ = false;
    bool counted_by_address_ = false;
    IpAddress address_;
  };

  explicit ConnectionLimits(Options options) : options_(options) {}

  // At accept. Other than kNone: refuse it; `ticket` then counts its socket only.
  Refusal Admit(Ticket& ticket);

  // True if no further socket is to be accepted before another is closed. Acceptors that wait
  // already may go beyond it, by one each.
  bool full() const {
    return options_.max_sockets != 0 &&
           sockets_.load(std::memory_order_relaxed) >= options_.max_sockets;
  }

  size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  size_t unauthenticated() const { return unauthenticated_.load(std::memory_order_relaxed); }

 private:
  // Constant after construction
  const Options options_;

  // Any thread
  std::atomic<size_t> sockets_{0};
  std::atomic<size_t> connections_{0};
  std::atomic<size_t> unauthenticated_{0};
  absl::Mutex mu_;
  absl::flat_hash_map<IpAddress, size_t> by_address_ ABSL_GUARDED_BY(mu_);
};

}  // namespace msab

#endif  // MSAB_SESSION_LIMITS_H_
