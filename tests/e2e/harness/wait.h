#ifndef MSAB_TESTS_E2E_HARNESS_WAIT_H_
#define MSAB_TESTS_E2E_HARNESS_WAIT_H_

#include <chrono>
#include <functional>

namespace msab::e2e {

using Millis = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

// How long a test waits for what must happen. Generous: a sanitizer build on a loaded machine
// must not fail for being slow. Nothing waits this long unless it fails.
inline constexpr Millis kPatience{30'000};

inline SteadyTime Deadline(Millis patience = kPatience) {
  return std::chrono::steady_clock::now() + patience;
}

// Milliseconds left until `deadline`, 0 past it.
int MillisLeft(SteadyTime deadline);

// Looks every few milliseconds until `condition` holds; false once `patience` is over. Only for
// what can't be waited for by reading a socket.
bool Await(const std::function<bool()>& condition, Millis patience = kPatience);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_WAIT_H_
