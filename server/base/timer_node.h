#ifndef MSAB_BASE_TIMER_NODE_H_
#define MSAB_BASE_TIMER_NODE_H_

#include <cstdint>

namespace msab {

// A node of a TimerWheel, embedded in whoever waits. Out of the wheel by its destruction.
class TimerNode {
 public:
  TimerNode() = default;
  virtual ~TimerNode() { Unlink(); }
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;

  // Called by TimerWheel::Advance once the deadline has passed; the node is out of the wheel by
  // then, may schedule itself again, and may destroy itself or others.
  virtual void OnTimer(int64_t now) = 0;

  bool scheduled() const { return next_ != nullptr; }
  int64_t deadline() const { return deadline_; }

 private:
  friend class TimerWheel;
  void Unlink();

  TimerNode* next_ = nullptr;
  TimerNode* previous_ = nullptr;
  int64_t deadline_ = 0;
};

}  // namespace msab

#endif  // MSAB_BASE_TIMER_NODE_H_
