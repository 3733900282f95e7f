#include "server/base/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace msab {
namespace {

// The house's own: a quarter, but no more than this, or than a fiftieth of many.
constexpr size_t kReserve = 400;

}  // namespace

size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return limit.rlim_cur == RLIM_INFINITY ? 0 : static_cast<size_t>(limit.rlim_cur);
}

DescriptorShares ShareDescriptors(size_t descriptors) {
  if (descriptors == 0) return {};
  const size_t reserve = std::max(descriptors / 50, std::min(descriptors / 4, kReserve));
  const size_t connections = std::max<size_t>(descriptors - reserve, 1);
  return {connections, connections + reserve / 4};
}

}  // namespace msab
