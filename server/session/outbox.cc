#include "server/session/outbox.h"

#include <algorithm>
#include <utility>

namespace msab {

namespace {

// Nulls that are borne without looking closer.
constexpr size_t kFewNulls = 8;

// True if whoever gets both entries gets them as one recipient: a session is one user, but may be
// in many rooms.
bool SameRecipient(const Entry& a, const Entry& b) {
  return a.target.kind == b.target.kind && a.target.room == b.target.room;
}

}  // namespace

void Outbox::Push(FramePtr frame) {
  if (nulls_ > kFewNulls && nulls_ > frames_.size() / 2) {
    frames_.erase(std::remove_if(frames_.begin(), frames_.end(),
                                 [](const FramePtr& waiting) { return !waiting; }),
                  frames_.end());
    head_ = 0;
    nulls_ = 0;
  }
  bytes_ += frame->size();
  if (frame->latest() != nullptr) ++latest_;
  frames_.push_back(std::move(frame));
}

void Outbox::TakeOut(FramePtr& frame) {
  bytes_ -= frame->size();
  if (frame->latest() != nullptr) --latest_;
  frame = FramePtr();
  ++nulls_;
}

void Outbox::RemoveReplaced(const Entry& newer) {
  // From the back: a state that changes often was put there last.
  size_t left = latest_;
  for (size_t i = frames_.size(); left > 0 && i > first_unbegun();) {
    const Entry* const older = frames_[--i] ? frames_[i]->latest() : nullptr;
    if (older == nullptr) continue;
    --left;
    if (SameRecipient(newer, *older) && Replaces(newer, *older)) TakeOut(frames_[i]);
  }
}

size_t Outbox::DropEphemeral() {
  size_t dropped = 0;
  for (size_t i = first_unbegun(); i < frames_.size(); ++i) {
    if (!frames_[i] || frames_[i]->kind() != Frame::Kind::kEphemeral) continue;
    TakeOut(frames_[i]);
    ++dropped;
  }
  return dropped;
}

void Outbox::DropUnbegun() {
  for (size_t i = first_unbegun(); i < frames_.size(); ++i) {
    if (frames_[i]) TakeOut(frames_[i]);
  }
  if (bytes_ == 0) Clear();
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
    ++nulls_;
  }
  Clear();
}

void Outbox::Rest() {
  if (bytes_ > 0) return;
  Clear();
  frames_.shrink_to_fit();
}

void Outbox::Clear() {
  frames_.erase(frames_.begin(), frames_.end());  // its clear() would free the room, too
  head_ = 0;
  nulls_ = 0;
  begun_ = 0;
  latest_ = 0;
}

}  // namespace msab
