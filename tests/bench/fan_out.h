#ifndef MSAB_TESTS_BENCH_FAN_OUT_H_
#define MSAB_TESTS_BENCH_FAN_OUT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "tests/bench/crowd.h"

namespace msab::bench {

// Sends events that every client of a crowd gets, and waits for them: one at a time, or several in
// flight. Main thread only.
class FanOut {
 public:
  // `emit` sends the event with the next number; nobody else may.
  FanOut(Crowd& crowd, std::function<void()> emit);

  // Each is sent when all have the one before. Every single arrival's time since its emit, in
  // microseconds, is appended to `latencies` unless that is null.
  void OneAtATime(size_t events, std::vector<double>* latencies = nullptr);

  // Keeps `in_flight` under way: one that all have is replaced at once.
  void Closed(size_t in_flight, size_t events);

 private:
  void OnEvent(uint64_t sequence);
  void Emit();
  void AwaitCompleted(size_t events);

  Crowd& crowd_;
  const std::function<void()> emit_;
  uint64_t first_ = 0;             // the number of the first event; 0: not seen yet
  std::vector<uint32_t> arrived_;  // per event since then: how many clients have it
  size_t emitted_ = 0;
  size_t completed_ = 0;
  std::chrono::steady_clock::time_point emitted_at_;
  std::vector<double>* latencies_ = nullptr;
};

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_FAN_OUT_H_
