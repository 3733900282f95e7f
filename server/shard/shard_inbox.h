#ifndef MSAB_SHARD_SHARD_INBOX_H_
#define MSAB_SHARD_SHARD_INBOX_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "server/dispatch/inbox.h"

namespace msab {

// A shard's inbox: many producers, one consumer that takes all at once. The two vectors change
// places, so a shard under load allocates nothing here. Its lock is held for a push or a swap and
// nothing is called under it.
class ShardInbox final : public Inbox {
 public:
  // `wake` is called, on the producer's thread, by the push that finds the inbox empty.
  ShardInbox(size_t bound, absl::AnyInvocable<void()> wake);

  // Any thread
  bool HasRoom() const override;
  void Push(InboxItem item) override;
  size_t size() const override;

  // Shard thread only. Swaps what waits into `items`, which the caller has emptied. They count as
  // waiting until the shard says that it has handled them.
  void TakeAll(std::vector<InboxItem>& items);
  void Handled(size_t items);

 private:
  const size_t bound_;
  absl::AnyInvocable<void()> wake_;
  std::atomic<size_t> size_{0};
  absl::Mutex mu_;
  std::vector<InboxItem> items_ ABSL_GUARDED_BY(mu_);
};

}  // namespace msab

#endif  // MSAB_SHARD_SHARD_INBOX_H_
