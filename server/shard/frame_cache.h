#ifndef MSAB_SHARD_FRAME_CACHE_H_
#define MSAB_SHARD_FRAME_CACHE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "server/protocol/dialect.h"

namespace msab {

// Frames of history that sessions replay: after an outage thousands of them read the same entries,
// and one frame serves them all. Direct-mapped by number, so a look-up is one comparison; bounded
// by kSlots and by leaving out what is large.
//
// Shard thread only.
class FrameCache {
 public:
  FramePtr Get(const Dialect& dialect, const EntryPtr& entry, std::string_view epoch);

  // Gives the memory back. For a shard on which nobody replays.
  void Clear();
  bool empty() const { return slots_.empty(); }

 private:
  static constexpr size_t kSlots = 4096;
  static constexpr size_t kMaxFrameBytes = 4096;  // of payload: 16 MiB a dialect at the most

  struct Slot {
    uint64_t sequence = 0;
    FramePtr frame;
  };

  std::vector<std::array<Slot, kDialects>> slots_;
};

}  // namespace msab

#endif  // MSAB_SHARD_FRAME_CACHE_H_
