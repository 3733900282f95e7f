#ifndef MSAB_BASE_COUNTER_H_
#define MSAB_BASE_COUNTER_H_

#include <atomic>
#include <cstdint>

namespace msab {

// A counter or gauge with one writing thread (or one lock over its writers) that any thread may
// read. A plain load and store: no locked instruction on the way of an event.
class Counter {
 public:
  void Add(int64_t n = 1) { value_.store(Value() + n, std::memory_order_relaxed); }
  int64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// A counter that any thread may write.
class SharedCounter {
 public:
  void Add(int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

}  // namespace msab

#endif  // MSAB_BASE_COUNTER_H_
