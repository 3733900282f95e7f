#ifndef MSAB_SESSION_OUTBOX_H_
#define MSAB_SESSION_OUTBOX_H_

#include <sys/uio.h>

#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "server/protocol/frame.h"

namespace msab {

// The frames that wait for one socket, in order. Index, not copy: a broadcast costs a pointer a
// recipient. Allocates nothing while the socket keeps up (there is room for two, and what a burst
// needed is reused), and gives room back when the connection rests.
//
// Owned by a connection. Shard thread only.
class Outbox {
 public:
  void Push(FramePtr frame);

  // Takes out waiting, unbegun LATEST frames that `newer` replaces: those for the same recipient.
  // Called before `newer`'s own frame is pushed.
  void RemoveReplaced(const Entry& newer);

  // Takes out waiting, unbegun EPHEMERAL frames. Returns how many.
  size_t DropEphemeral();

  // Takes out every frame of which no byte was written yet.
  void DropUnbegun();

  // Fills up to `max` iovecs with what waits; returns how many.
  int Gather(iovec* out, int max) const;

  // `n` > 0 bytes were written; frames that are through are let go.
  void Consume(size_t n);

  // Gives back the room that a past burst needed, if nothing waits.
  void Rest();

  bool empty() const { return bytes_ == 0; }
  // Bytes not yet written, the begun frame's rest included.
  size_t bytes() const { return bytes_; }
  // Frames that there is room for.
  size_t room() const { return frames_.capacity(); }

 private:
  size_t first_unbegun() const { return head_ + (begun_ > 0 ? 1 : 0); }
  void TakeOut(FramePtr& frame);
  void Clear();

  absl::InlinedVector<FramePtr, 2> frames_;  // from head_ on; a null pointer is a frame taken out
  size_t head_ = 0;
  size_t nulls_ = 0;  // in frames_, those before head_ included
  size_t begun_ = 0;  // bytes of frames_[head_] that were written
  size_t bytes_ = 0;
  size_t latest_ = 0;  // LATEST frames waiting: the usual 0 spares the search
};

}  // namespace msab

#endif  // MSAB_SESSION_OUTBOX_H_
