#ifndef MSAB_ROOMS_CHAT_LIMIT_H_
#define MSAB_ROOMS_CHAT_LIMIT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/base/token_bucket.h"
#include "server/contract/audience.h"

namespace msab {

// How often a user may chat in a room: one token bucket for each (user, room), over all of the
// user's connections and all shards, so that a second tab is no second allowance. A bucket holds
// a minute's worth and fills evenly.
//
// A full bucket is the same as none and is forgotten, so memory is bounded by the chats of the
// last minute, which the limits per connection bound.
//
// Owned by Commands. Any thread.
class ChatLimit {
 public:
  // `per_minute` ≥ 1. `clock` outlives this.
  ChatLimit(const Clock& clock, size_t per_minute);

  // Takes a token and returns 0, or takes none and returns the milliseconds until there is one.
  int64_t Take(UserId user, const std::string& room);

  // Buckets remembered.
  size_t size() const;

 private:
  using Key = std::pair<UserId, std::string>;

  // Constant after construction
  const Clock& clock_;
  const Rate rate_;

  mutable absl::Mutex mu_;
  absl::flat_hash_map<Key, TokenBucket> buckets_ ABSL_GUARDED_BY(mu_);
  size_t sweep_at_ ABSL_GUARDED_BY(mu_);  // size at which full buckets are looked for
};

}  // namespace msab

#endif  // MSAB_ROOMS_CHAT_LIMIT_H_
