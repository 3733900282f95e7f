#ifndef MSAB_SESSION_HEARTBEATS_H_
#define MSAB_SESSION_HEARTBEATS_H_

#include <cstdint>

namespace msab {

// What a client's answers to heartbeats tell of how far it has read. Heartbeats stand in the one
// order of frames and are answered in that order, so the answer to one says that everything before
// it has arrived.
//
// One heartbeat at a time is the probe. Those sent while its answer is out confirm nothing of their
// own, so a number and two counts are enough, however many are under way.
//
// Owned by a session. Shard thread only.
class Heartbeats {
 public:
  // One goes out, behind everything numbered up to `sequence`.
  void OnSent(uint64_t sequence) {
    ++unanswered_;
    if (until_probe_ != 0) return;
    until_probe_ = unanswered_;
    probe_ = sequence;
  }

  // One was answered. Returns the number up to which the client now has everything; 0: nothing new
  // is known.
  uint64_t OnAnswer() {
    if (unanswered_ == 0) return 0;  // an answer to nothing
    --unanswered_;
    return until_probe_ != 0 && --until_probe_ == 0 ? probe_ : 0;
  }

 private:
  uint32_t unanswered_ = 0;
  uint32_t until_probe_ = 0;  // answers until the probe's own; 0: none is out
  uint64_t probe_ = 0;
};

}  // namespace msab

#endif  // MSAB_SESSION_HEARTBEATS_H_
