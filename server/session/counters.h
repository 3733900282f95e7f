#ifndef MSAB_SESSION_COUNTERS_H_
#define MSAB_SESSION_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/base/counter.h"

namespace msab {

// Why a WebSocket connection ended, as metrics and logs name it.
enum class CloseCause : uint8_t {
  kClient,           // the client closed, or its connection was lost
  kSlowConsumer,     // 4000
  kTokenExpired,     // 4001
  kNoPong,           // 4002
  kDraining,         // 4003
  kTooMany,          // 4004
  kUnauthenticated,  // 4500
  kRevoked,          // 4501
  kProtocolError,    // 4502, or a standard code for broken framing
  kOrigin,           // 4503
  kRemoved,          // 4504
  kInternal,         // 1011
  kSuperseded,       // its client goes on with the session over another connection
  kCount,
};

// Why an HTTP request at the public door got no upgrade.
enum class DoorRefusal : uint8_t {
  kBadRequest,       // 400
  kNotFound,         // 404
  kUpgradeRequired,  // 426
  kTooManyAddress,   // 503
  kTooManyWaiting,   // 503
  kTooManyOpen,      // 503
  kDraining,         // 503
  kTimeout,          // no request in time
  kCount,
};

// What one shard counts. Written by its thread, read by any.
struct ShardCounters {
  Counter accepted;       // TCP connections
  Counter accept_paused;  // times the shard was out of descriptors
  Counter connections;    // now open, authenticated or not
  Counter sessions;       // now authenticated
  Counter sessions_opened;
  Counter entries;   // entries that came through the inbox
  Counter frames;    // event frames given to sessions
  Counter replayed;  // of them from the log
  Counter expired;   // entries past their ttl on arrival at the shard
  Counter ephemeral_dropped;
  Counter bytes_written;
  Counter writes;        // system calls
  Counter commands;      // client messages
  Counter rate_limited;  // of them over the connection's rate
  Counter resumed;       // sessions that recovered from a cursor
  Counter gaps_epoch;
  Counter gaps_expired;
  std::array<Counter, static_cast<size_t>(CloseCause::kCount)> closed;
  std::array<Counter, static_cast<size_t>(DoorRefusal::kCount)> refused;
};

}  // namespace msab

#endif  // MSAB_SESSION_COUNTERS_H_
