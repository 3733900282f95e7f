#include "server/base/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace msab {

double TokenBucket::UsedAt(const Rate& rate, int64_t now) const {
  return std::max(0.0, used_ - static_cast<double>(now - since_) * rate.per_milli);
}

int64_t TokenBucket::Take(const Rate& rate, int64_t now) {
  used_ = UsedAt(rate, now);
  since_ = now;
  // What a double loses in many small steps must not cost a whole message.
  constexpr double kSlack = 1e-6;
  const double over = used_ + 1 - rate.burst;
  if (over <= kSlack) {
    used_ += 1;
    return 0;
  }
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(over / rate.per_milli - kSlack)));
}

}  // namespace msab
