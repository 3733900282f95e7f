#ifndef MSAB_DISPATCH_INBOX_H_
#define MSAB_DISPATCH_INBOX_H_

#include <cstddef>

#include "absl/functional/any_invocable.h"
#include "server/contract/entry.h"

namespace msab {

// What comes through a shard's inbox: an entry to deliver, or a task to run at its place in the
// order (a join's reply, a close). Exactly one of the two is set.
struct InboxItem {
  EntryPtr entry;
  absl::AnyInvocable<void()> task;
};

// The only way from a foreign thread into a shard. FIFO, bounded, wakes its shard once per
// empty → non-empty. Declared here so that dispatch knows no sockets; the shard implements it.
class Inbox {
 public:
  virtual ~Inbox() = default;

  // True if one more entry is within the bound. Only the Dispatcher pushes entries, under its
  // lock, so there the answer holds until its Push. Any thread.
  virtual bool HasRoom() const = 0;

  // Appends; never refuses (tasks and late completions may overshoot the bound by their number in
  // flight). Any thread.
  virtual void Push(InboxItem item) = 0;

  // Items waiting. Any thread.
  virtual size_t size() const = 0;
};

}  // namespace msab

#endif  // MSAB_DISPATCH_INBOX_H_
