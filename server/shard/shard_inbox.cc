#include "server/shard/shard_inbox.h"

#include <utility>

namespace msab {

ShardInbox::ShardInbox(size_t bound, absl::AnyInvocable<void()> wake)
    : bound_(bound), wake_(std::move(wake)) {}

bool ShardInbox::HasRoom() const { return size() < bound_; }

size_t ShardInbox::size() const { return size_.load(std::memory_order_relaxed); }

void ShardInbox::Push(InboxItem item) {
  // Counted before it can be taken, so that the count never falls below zero.
  size_.fetch_add(1, std::memory_order_relaxed);
  bool was_empty = false;
  {
    absl::MutexLock lock(&mu_);
    was_empty = items_.empty();
    items_.push_back(std::move(item));
  }
  if (was_empty) wake_();
}

void ShardInbox::TakeAll(std::vector<InboxItem>& items) {
  absl::MutexLock lock(&mu_);
  items.swap(items_);
}

void ShardInbox::Handled(size_t items) { size_.fetch_sub(items, std::memory_order_relaxed); }

}  // namespace msab
