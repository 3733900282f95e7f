#include "server/session/outbox.h"

namespace msab {

void Outbox::Push(FramePtr frame) {
  if (head_ > 32 && head_ > frames_.size() / 2) {
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
  bytes_ += frame->size();
  if (frame->latest() != nullptr) ++latest_;
  frames_.push_back(std::move(frame));
}

void Outbox::RemoveReplaced(const Entry& newer) {
  if (latest_ == 0) return;
  for (size_t i = first_unbegun(); i < frames_.size(); ++i) {
    const Frame* frame = frames_[i].get();
    if (frame == nullptr || frame->latest() == nullptr || !Replaces(newer, *frame->latest())) {
      continue;
    }
    bytes_ -= frame->size();
    --latest_;
    frames_[i] = FramePtr();
  }
}

size_t Outbox::DropEphemeral() {
  size_t dropped = 0;
  for (size_t i = first_unbegun(); i < frames_.size(); ++i) {
    if (!frames_[i] || frames_[i]->kind() != Frame::Kind::kEphemeral) continue;
    bytes_ -= frames_[i]->size();
    frames_[i] = FramePtr();
    ++dropped;
  }
  return dropped;
}

void Outbox::DropUnbegun() {
  FramePtr begun;
  if (begun_ > 0) begun = std::move(frames_[head_]);
  frames_.clear();
  head_ = 0;
  latest_ = 0;
  bytes_ = 0;
  if (!begun) return;
  bytes_ = begun->size() - begun_;
  latest_ = begun->latest() != nullptr ? 1 : 0;
  frames_.push_back(std::move(begun));
}

int Outbox::Gather(iovec* out, int max) const {
  int n = 0;
  size_t skip = begun_;
  for (size_t i = head_; i < frames_.size() && n < max; ++i) {
    const Frame* frame = frames_[i].get();
    if (frame == nullptr) continue;
    // iovec is not const-correct; sendmsg only reads.
    out[n].iov_base = const_cast<uint8_t*>(frame->data()) + skip;
    out[n].iov_len = frame->size() - skip;
    skip = 0;
    ++n;
  }
  return n;
}

void Outbox::Consume(size_t n) {
  bytes_ -= n;
  for (; bytes_ > 0; ++head_) {
    const Frame* frame = frames_[head_].get();
    if (frame == nullptr) continue;
    const size_t rest = frame->size() - begun_;
    if (n < rest) {
      begun_ += n;
      return;
    }
    n -= rest;
    begun_ = 0;
    if (frame->latest() != nullptr) --latest_;
    frames_[head_] = FramePtr();
  }
  frames_.clear();
  head_ = 0;
  begun_ = 0;
  latest_ = 0;
}

void Outbox::Rest() {
  if (frames_.empty() && frames_.capacity() > 0) std::vector<FramePtr>().swap(frames_);
}

}  // namespace msab
