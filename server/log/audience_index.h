#ifndef MSAB_LOG_AUDIENCE_INDEX_H_
#define MSAB_LOG_AUDIENCE_INDEX_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "server/contract/entry.h"

namespace msab {

// An entry as a MemoryLog holds it: once, however many audiences have it in their index. Linked in
// the order of the numbers.
struct LogNode {
  EntryPtr entry;
  int64_t accepted_at = 0;  // steady ms
  LogNode* previous = nullptr;
  LogNode* next = nullptr;
  uint32_t bytes = 0;
  uint32_t audiences = 0;  // indexes that hold it
};

// What one audience got, ascending by number, and the number up to which that was cut. Part of a
// MemoryLog, under its lock. There is one for each audience that holds anything, a million of them
// in a big log: it is small, and an audience with one entry needs no memory of its own.
//
// Entries leave at the front (a bound) and now and then in the middle (a newer LATEST, a ttl); the
// latter leaves a hole, and holes are closed once they outnumber the rest. So every operation is
// O(log n) at most, amortised.
class AudienceIndex {
 public:
  struct Slot {
    uint64_t sequence : 62;
    uint64_t conditional : 1;  // has a ttl or an excepted user: a reader looks at the entry first
    uint64_t latest : 1;
    LogNode* node;  // null: a hole
  };

  explicit AudienceIndex(uint64_t cut) : cut_(cut) {}

  bool empty() const { return size() == 0; }
  size_t size() const { return slots_.size() - first_ - holes_; }

  // The lowest number, which is never a hole. Not when empty.
  const Slot& front() const { return slots_[first_]; }
  void PopFront();

  // `node`'s number is above all others here.
  void Push(LogNode* node);

  // The slot of this number, or null.
  const Slot* Find(uint64_t sequence) const;

  // Takes out a number that Find finds.
  void Remove(uint64_t sequence);

  // The slots of the numbers above `after`, up to and with `upto`; holes among them.
  absl::Span<const Slot> Range(uint64_t after, uint64_t upto) const;

  // A reader that has seen everything up to here, or more, has a whole history in the rest.
  uint64_t cut() const { return cut_; }
  void set_cut(uint64_t cut) { cut_ = cut; }

  // For the log's list of empty indexes that are remembered for their cut.
  bool queued() const { return queued_; }
  void set_queued(bool queued) { queued_ = queued; }

  // Memory beyond the object itself.
  size_t heap_bytes() const;

 private:
  size_t LowerBound(uint64_t sequence) const;  // the first slot not below
  void Tidy();

  // slots_[first_] and slots_.back() are never holes; before first_ all is dead.
  absl::InlinedVector<Slot, 1> slots_;
  uint64_t cut_;
  uint32_t first_ = 0;
  uint32_t holes_ : 31 = 0;
  uint32_t queued_ : 1 = 0;
};

// What an allocation of `size` bytes takes from jemalloc's heap; 0 for none. Its classes are 16
// bytes apart up to 128, and then four between two powers of two.
constexpr size_t HeapCost(size_t size) {
  if (size == 0) return 0;
  const size_t step = size <= 128 ? 16 : std::bit_floor(size - 1) / 4;
  return (size + step - 1) / step * step;
}

}  // namespace msab

#endif  // MSAB_LOG_AUDIENCE_INDEX_H_
