#include "server/log/audience_index.h"

#include <algorithm>

namespace msab {

void AudienceIndex::PopFront() {
  slots_[first_].node = nullptr;
  ++first_;
  Tidy();
}

void AudienceIndex::Push(LogNode* node) {
  const Entry& entry = *node->entry;
  slots_.push_back({entry.sequence, entry.expires_at != 0 || entry.except_user != 0,
                    entry.type->delivery == DeliveryClass::kLatest, node});
}

size_t AudienceIndex::LowerBound(uint64_t sequence) const {
  return std::lower_bound(slots_.begin() + first_, slots_.end(), sequence,
                          [](const Slot& slot, uint64_t value) { return slot.sequence < value; }) -
         slots_.begin();
}

const AudienceIndex::Slot* AudienceIndex::Find(uint64_t sequence) const {
  const size_t at = LowerBound(sequence);
  if (at == slots_.size() || slots_[at].sequence != sequence || slots_[at].node == nullptr) {
    return nullptr;
  }
  return &slots_[at];
}

void AudienceIndex::Remove(uint64_t sequence) {
  slots_[LowerBound(sequence)].node = nullptr;
  ++holes_;
  Tidy();
}

absl::Span<const AudienceIndex::Slot> AudienceIndex::Range(uint64_t after, uint64_t upto) const {
  if (upto <= after) return {};
  const size_t begin = LowerBound(after + 1);
  size_t end = LowerBound(upto);
  if (end < slots_.size() && slots_[end].sequence == upto) ++end;
  return absl::MakeConstSpan(slots_).subspan(begin, end - begin);
}

void AudienceIndex::Tidy() {
  while (first_ < slots_.size() && slots_[first_].node == nullptr) {
    ++first_;
    --holes_;
  }
  while (slots_.size() > first_ && slots_.back().node == nullptr) {
    slots_.pop_back();
    --holes_;
  }
  const size_t dead = first_ + holes_;
  if (dead <= size() || (dead < 8 && !empty())) return;
  slots_.erase(std::remove_if(slots_.begin(), slots_.end(),
                              [](const Slot& slot) { return slot.node == nullptr; }),
               slots_.end());
  first_ = 0;
  holes_ = 0;
  if (slots_.capacity() > 4 * slots_.size()) slots_.shrink_to_fit();
}

size_t AudienceIndex::heap_bytes() const {
  return slots_.capacity() <= 1 ? 0 : HeapCost(slots_.capacity() * sizeof(Slot));
}

}  // namespace msab
