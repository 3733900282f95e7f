#include "server/shard/frame_cache.h"

namespace msab {

FramePtr FrameCache::Get(const Dialect& dialect, const EntryPtr& entry, std::string_view epoch) {
  if (entry->payload.size() > kMaxFrameBytes) return dialect.Event(entry, epoch);
  if (slots_.empty()) slots_.resize(kSlots);
  Slot& slot = slots_[entry->sequence % kSlots][static_cast<size_t>(dialect.id())];
  if (slot.sequence != entry->sequence) {
    slot.frame = dialect.Event(entry, epoch);
    slot.sequence = entry->sequence;
  }
  return slot.frame;
}

void FrameCache::Clear() { std::vector<std::array<Slot, kDialects>>().swap(slots_); }

}  // namespace msab
