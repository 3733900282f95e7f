#include "server/rooms/chat_limit.h"

#include <algorithm>

namespace msab {
namespace {

constexpr size_t kFirstSweep = 1024;

}  // namespace

ChatLimit::ChatLimit(const Clock& clock, size_t per_minute)
    : clock_(clock), rate_(Rate::PerMinute(per_minute)), sweep_at_(kFirstSweep) {}

int64_t ChatLimit::Take(UserId user, const std::string& room) {
  const int64_t now = clock_.SteadyMillis();
  absl::MutexLock lock(&mu_);
  const int64_t wait = buckets_[Key(user, room)].Take(rate_, now);
  if (buckets_.size() >= sweep_at_) {
    absl::erase_if(buckets_, [&](const auto& bucket) { return bucket.second.FullAt(rate_, now); });
    sweep_at_ = std::max(kFirstSweep, 2 * buckets_.size());
  }
  return wait;
}

size_t ChatLimit::size() const {
  absl::MutexLock lock(&mu_);
  return buckets_.size();
}

}  // namespace msab
