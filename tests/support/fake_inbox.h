#ifndef MSAB_TESTS_SUPPORT_FAKE_INBOX_H_
#define MSAB_TESTS_SUPPORT_FAKE_INBOX_H_

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/dispatch/inbox.h"

namespace msab::test {

// An inbox that keeps what comes until the test takes it, as a shard's turn would. Any thread.
class FakeInbox final : public Inbox {
 public:
  bool HasRoom() const override { return size() < bound_; }
  void Push(InboxItem item) override {
    absl::MutexLock lock(&mu_);
    items_.push_back(std::move(item));
  }
  size_t size() const override {
    absl::MutexLock lock(&mu_);
    return items_.size();
  }

  // Before other threads push.
  void set_bound(size_t bound) { bound_ = bound; }

  std::vector<InboxItem> Take() {
    absl::MutexLock lock(&mu_);
    return std::exchange(items_, {});
  }

 private:
  size_t bound_ = std::numeric_limits<size_t>::max();
  mutable absl::Mutex mu_;
  std::vector<InboxItem> items_ ABSL_GUARDED_BY(mu_);
};

}  // namespace msab::test

#endif  // MSAB_TESTS_SUPPORT_FAKE_INBOX_H_
