#ifndef MSAB_ROOMS_CHAT_DEDUP_H_
#define MSAB_ROOMS_CHAT_DEDUP_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/contract/audience.h"
#include "server/dispatch/command_handler.h"

namespace msab {

// Remembers, for each user, which `clientId`s became which chat messages, so that a message sent
// again (after a lost answer, from another connection) is answered as the first was and shown
// once. A repeat that comes while the first is under way waits for its outcome and shares it; a
// first that failed is forgotten, and the next try is a new message.
//
// Bounded by time, in all and per user (one user's flood forgets that user's oldest only).
//
// Owned by Commands. Any thread.
class ChatDedup {
 public:
  struct Options {
    int64_t window_ms = 600'000;
    size_t max_per_user = 1'000;
    size_t max_messages = 200'000;
  };

  // One remembered message; opaque outside.
  struct Message;
  using Claim = std::shared_ptr<Message>;

  // A repeat that waits: its answer is due on that shard's thread.
  struct Waiting {
    int shard = 0;
    CommandReply reply;
  };

  // What a clientId is. Exactly one of the three is set.
  struct Verdict {
    Claim first = nullptr;  // new: the caller sends it and then calls Settle, once
    std::optional<std::string> sent = std::nullopt;  // a repeat of the message with this event id
    bool waits = false;                              // a repeat of one under way: it took the reply
  };

  // `clock` outlives this.
  ChatDedup(const Clock& clock, Options options);
  ~ChatDedup();

  // Takes `reply` only if the verdict is to wait. `shard` is the one it is to be answered on.
  Verdict Look(UserId user, const std::string& client_id, int shard, CommandReply& reply);

  // The first's outcome: its event id, or nothing if it failed. Returns who waited for it.
  std::vector<Waiting> Settle(const Claim& claim, std::optional<std::string> event_id);

  // Messages remembered.
  size_t size() const;

 private:
  using Order = std::list<Claim>;              // oldest first, hence also first to expire
  using ByUser = std::deque<Order::iterator>;  // one user's, oldest first
  using Key = std::pair<UserId, std::string>;

  void Forget(Order::iterator message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction
  const Clock& clock_;
  const Options options_;

  mutable absl::Mutex mu_;
  Order order_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Key, Order::iterator> by_key_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<UserId, ByUser> by_user_ ABSL_GUARDED_BY(mu_);
};

}  // namespace msab

#endif  // MSAB_ROOMS_CHAT_DEDUP_H_
