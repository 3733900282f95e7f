#include "tests/e2e/harness/wait.h"

#include <algorithm>
#include <thread>

namespace msab::e2e {

int MillisLeft(SteadyTime deadline) {
  const auto left =
      std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::max<int64_t>(left, 0));
}

bool Await(const std::function<bool()>& condition, Millis patience) {
  const SteadyTime deadline = Deadline(patience);
  while (!condition()) {
    if (MillisLeft(deadline) == 0) return false;
    std::this_thread::sleep_for(Millis(5));
  }
  return true;
}

}  // namespace msab::e2e
