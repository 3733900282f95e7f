#include "server/base/timer_node.h"

namespace msab {

void TimerNode::Unlink() {
  if (next_ == nullptr) return;
  next_->previous_ = previous_;
  previous_->next_ = next_;
  next_ = previous_ = nullptr;
}

}  // namespace msab
