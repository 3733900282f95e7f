#include "server/base/clock.h"

#include <chrono>

namespace msab {
namespace {

template <typename C>
int64_t Millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(C::now().time_since_epoch()).count();
}

class RealClock final : public Clock {
 public:
  int64_t WallMillis() const override { return Millis<std::chrono::system_clock>(); }
  int64_t SteadyMillis() const override { return Millis<std::chrono::steady_clock>(); }
};

}  // namespace

const Clock& Clock::Real() {
  static const RealClock* const clock = new RealClock;
  return *clock;
}

}  // namespace msab
