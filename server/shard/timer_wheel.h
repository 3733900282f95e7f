#ifndef MSAB_SHARD_TIMER_WHEEL_H_
#define MSAB_SHARD_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/base/timer_node.h"

namespace msab {

// All deadlines of a shard: scheduling, cancelling and firing cost a few pointer writes, however
// many thousand connections wait. A deadline fires up to one tick late, never early. Those more
// than a turn of the wheel away are passed over once a turn.
//
// Shard thread only. Times are steady milliseconds.
class TimerWheel {
 public:
  static constexpr int64_t kTickMillis = 50;

  explicit TimerWheel(int64_t now);

  // (Re)schedules `node` to fire at `deadline`; one in the past fires at the next Advance.
  void Schedule(TimerNode& node, int64_t deadline);
  static void Cancel(TimerNode& node);

  // Fires all that is due at `now`.
  void Advance(int64_t now);

 private:
  // 1,024 ticks of 50 ms: a turn is 51 s, so that pings (25 s) and pong deadlines (60 s) are
  // passed over once at the most.
  static constexpr size_t kSlots = 1024;

  class Head final : public TimerNode {
    void OnTimer(int64_t) override {}
  };

  static void Link(TimerNode& head, TimerNode& node);

  std::array<Head, kSlots> slots_;
  int64_t tick_;  // the last tick that was fired
};

}  // namespace msab

#endif  // MSAB_SHARD_TIMER_WHEEL_H_
