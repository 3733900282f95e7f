#include "server/shard/timer_wheel.h"

#include <algorithm>

namespace msab {

TimerWheel::TimerWheel(int64_t now) : tick_(now / kTickMillis) {
  for (Head& head : slots_) {
    TimerNode& node = head;
    node.next_ = node.previous_ = &node;
  }
}

void TimerWheel::Link(TimerNode& head, TimerNode& node) {
  node.previous_ = head.previous_;
  node.next_ = &head;
  head.previous_->next_ = &node;
  head.previous_ = &node;
}

void TimerWheel::Schedule(TimerNode& node, int64_t deadline) {
  node.Unlink();
  node.deadline_ = deadline;
  // Rounded up: never early. The next tick at the soonest, since tick_ itself has been fired.
  const int64_t tick = std::max((deadline + kTickMillis - 1) / kTickMillis, tick_ + 1);
  Link(slots_[static_cast<size_t>(tick) % kSlots], node);
}

void TimerWheel::Cancel(TimerNode& node) { node.Unlink(); }

void TimerWheel::Advance(int64_t now) {
  const int64_t target = now / kTickMillis;
  // After a long sleep one turn visits every slot; what is due in any of them fires.
  const int64_t first = std::max(tick_ + 1, target - static_cast<int64_t>(kSlots) + 1);
  for (int64_t tick = first; tick <= target; ++tick) {
    tick_ = tick;
    // What is due moves to a list of its own first: a node that schedules itself or others while
    // it fires changes the slots, not the list we walk.
    TimerNode& head = slots_[static_cast<size_t>(tick) % kSlots];
    Head due_head;
    TimerNode& due = due_head;
    due.next_ = due.previous_ = &due;
    for (TimerNode* node = head.next_; node != &head;) {
      TimerNode* const next = node->next_;
      if (node->deadline_ <= now) {
        node->Unlink();
        Link(due, *node);
      }
      node = next;
    }
    while (due.next_ != &due) {
      TimerNode& node = *due.next_;
      node.Unlink();
      node.OnTimer(now);
    }
  }
}

}  // namespace msab
