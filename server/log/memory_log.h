#ifndef MSAB_LOG_MEMORY_LOG_H_
#define MSAB_LOG_MEMORY_LOG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/base/ids.h"
#include "server/log/audience_index.h"
#include "server/log/event_log.h"

namespace msab {

// The log of a single node: in memory, gone with the process (a new life has a new epoch, so an
// old cursor is a gap that is said). Appends complete at once.
//
// Entries stand once, in a list by number; each audience's index points at what it got. A bound
// takes the lowest number: of an audience over its own bound, from that index; of the whole log
// (number, bytes, age), from every index that has it. Either way the index notes the number as its
// cut. What a newer LATEST replaced or a ttl ended is taken out without one: nobody misses it.
//
// An audience that holds nothing and was never cut needs no record. One that was cut is remembered
// when it is empty, too. These records may take an eighth of `max_bytes` (some 390,000 of them at
// the default); beyond that, the one longest empty is forgotten and its cut raises the floor, which
// is the cut of every audience without a record. So the floor is the number of an entry that the
// bounds took long ago, and it never touches an audience that has a record.
//
// Owned by the composition root. Any thread: one lock, shared by readers, exclusive for Append and
// Trim; it is the last in the lock order. Append costs O(recipients); of LATEST, the variants of
// one event that an audience has with different fields are compared one by one.
class MemoryLog final : public EventLog {
 public:
  struct Options {
    size_t max_events = 1'000'000;
    size_t max_bytes = size_t{512} << 20;
    int64_t max_age_ms = 15 * 60 * 1000;
    size_t max_per_audience = 10'000;  // at least 1
  };

  MemoryLog(Options options, const Clock& clock, std::string epoch = NewEpoch());
  ~MemoryLog() override;

  void SetListener(Listener*) override {}  // no outcome is ever late
  std::optional<absl::StatusOr<Appended>> Append(std::shared_ptr<Entry> entry) override;
  uint64_t Head() const override { return head_.load(std::memory_order_acquire); }
  const std::string& epoch() const override { return epoch_; }
  LogPage Read(absl::Span<const AudienceFrom> audiences, uint64_t upto,
               size_t limit) const override;
  LogCount Count(absl::Span<const AudienceFrom> audiences, uint64_t upto) const override;
  bool Covers(absl::Span<const AudienceFrom> audiences) const override;
  void Trim() override;
  Usage usage() const override;
  absl::Status Health() const override { return absl::OkStatus(); }

 private:
  // An AudienceKey that owns nothing, so that looking one up allocates nothing.
  struct KeyRef {
    UserId user;
    std::string_view room;

    template <typename H>
    friend H AbslHashValue(H h, const KeyRef& key) {
      return H::combine(std::move(h), key.user, key.room);
    }
  };
  static KeyRef Ref(const AudienceKey& key) { return {key.user, key.room}; }
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const KeyRef& key) const { return absl::Hash<KeyRef>()(key); }
    size_t operator()(const AudienceKey& key) const { return (*this)(Ref(key)); }
  };
  struct KeyEq {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return a.user == b.user && a.room == b.room;
    }
  };
  struct Cut {
    AudienceKey key;
    uint64_t number;
  };

  template <typename F>
  static void ForEachAudience(const Target& target, F f);
  static uint64_t LatestKey(const Entry& entry, KeyRef key);

  const AudienceIndex* Find(KeyRef key) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  AudienceIndex* FindMutable(KeyRef key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  AudienceIndex& FindOrMake(KeyRef key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Covers(const AudienceFrom& audience) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  // Calls visit(entry) for each entry that a reader of `audiences` gets, ascending, while it
  // returns true.
  template <typename Visit>
  void Merge(absl::Span<const AudienceFrom> audiences, uint64_t upto, int64_t wall,
             Visit visit) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  // Enters `node` into an audience's index; false if it is outdated there.
  bool Index(LogNode* node, KeyRef key, int64_t wall) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Notes a LATEST entry about to enter an index and takes out what it replaces there; false, with
  // nothing changed, if it is itself outdated.
  bool SettleLatest(const Entry& entry, KeyRef key, AudienceIndex& index, int64_t wall)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes `node` out of the index, of which it is the front (with a cut, unless its ttl is over) …
  void CutFront(LogNode* node, KeyRef key, AudienceIndex& index, int64_t wall)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // … or out of its middle, without one.
  void TakeOut(LogNode* node, KeyRef key, AudienceIndex& index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetLatest(const Entry& entry, KeyRef key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Drops the record of an empty index, or notes that it is kept for its cut only.
  void Settle(KeyRef key, AudienceIndex& index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetCuts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Drop(KeyRef key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void EvictFirst(int64_t wall) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Expire(LogNode* node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool OverBounds() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return entries_ > options_.max_events || bytes_ > options_.max_bytes;
  }
  void Link(LogNode* node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Evict(LogNode* node, int64_t wall) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Delete(LogNode* node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Runs `change` and accounts for what it did to the index's memory.
  template <typename F>
  void Accounted(AudienceIndex& index, F change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction
  const Options options_;
  const Clock& clock_;
  const std::string epoch_;
  const size_t max_cuts_;

  // Any thread
  std::atomic<uint64_t> head_{0};  // written under mu_
  mutable absl::Mutex mu_;
  AudienceIndex everyone_ ABSL_GUARDED_BY(mu_){0};
  absl::flat_hash_map<UserId, AudienceIndex> users_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<AudienceKey, AudienceIndex, KeyHash, KeyEq> rooms_ ABSL_GUARDED_BY(mu_);
  // Per audience and event name, hashed, the numbers of the LATEST entries there. The entry itself
  // tells a collision.
  absl::flat_hash_map<uint64_t, absl::InlinedVector<uint64_t, 2>> latest_ ABSL_GUARDED_BY(mu_);
  absl::btree_set<std::pair<int64_t, LogNode*>> expiring_ ABSL_GUARDED_BY(mu_);  // by expires_at
  std::deque<Cut> cuts_ ABSL_GUARDED_BY(mu_);  // of audiences that were empty, once each
  uint64_t floor_ ABSL_GUARDED_BY(mu_) = 0;
  LogNode* first_ ABSL_GUARDED_BY(mu_) = nullptr;
  LogNode* last_ ABSL_GUARDED_BY(mu_) = nullptr;
  size_t entries_ ABSL_GUARDED_BY(mu_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t evicted_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace msab

#endif  // MSAB_LOG_MEMORY_LOG_H_
