#include "server/log/memory_resume_store.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"

namespace msab {
namespace {

// The allocator's own part of a block.
constexpr size_t kBlock = 16;

size_t StringCost(const std::string& text) {
  static const size_t kInline = std::string().capacity();
  return text.capacity() <= kInline ? 0 : text.capacity() + 1 + kBlock;
}

}  // namespace

MemoryResumeStore::MemoryResumeStore(Options options, const Clock& clock)
    : options_(options), clock_(clock) {}

MemoryResumeStore::~MemoryResumeStore() = default;

void MemoryResumeStore::Count(Kept& kept) {
  const ResumeRecord& record = kept.record;
  // A hash table is between 7/16 and 7/8 full.
  size_t bytes = sizeof(Kept) + 2 * sizeof(void*) + kBlock +
                 (sizeof(decltype(by_id_)::value_type) + 1) * 3 / 2 + StringCost(record.id) +
                 StringCost(record.connection_id);
  if (record.rooms.capacity() > 0) {
    bytes += record.rooms.capacity() * sizeof(ResumeRecord::Room) + kBlock;
  }
  for (const ResumeRecord::Room& room : record.rooms) bytes += StringCost(room.name);
  bytes_ += bytes - kept.bytes;
  kept.bytes = bytes;
}

MemoryResumeStore::Kept* MemoryResumeStore::FindHeld(std::string_view id, Term term) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return nullptr;
  Kept& kept = **it;
  return kept.term == term && kept.released_at == kHeld ? &kept : nullptr;
}

void MemoryResumeStore::Erase(Records& from, Records::iterator kept) {
  bytes_ -= kept->bytes;
  by_id_.erase(kept);
  from.erase(kept);
}

ResumeStore::Term MemoryResumeStore::Put(ResumeRecord record) {
  absl::MutexLock lock(&mu_);
  if (by_id_.contains(record.id)) return 0;
  held_.push_front({std::move(record)});
  const auto kept = held_.begin();
  by_id_.insert(kept);
  Count(*kept);
  Bound();
  if (by_id_.size() > options_.max_records || bytes_ > options_.max_bytes) {
    Erase(held_, kept);
    ++refused_;
    return 0;
  }
  return kept->term;
}

void MemoryResumeStore::Claim(std::string_view id, UserId user,
                              absl::AnyInvocable<void(std::optional<Claimed>)> done) {
  std::optional<Claimed> claimed;
  {
    absl::MutexLock lock(&mu_);
    DropOld();
    const auto it = by_id_.find(id);
    if (it != by_id_.end() && (*it)->record.user == user) {
      Kept& kept = **it;
      if (kept.released_at != kHeld) {
        held_.splice(held_.begin(), released_, *it);
        kept.released_at = kHeld;
      }
      claimed = Claimed{++kept.term, kept.record};
    }
  }
  done(std::move(claimed));
}

void MemoryResumeStore::Confirm(std::string_view id, Term term, uint64_t sequence) {
  absl::MutexLock lock(&mu_);
  if (Kept* const kept = FindHeld(id, term)) {
    kept->record.confirmed = std::max(kept->record.confirmed, sequence);
  }
}

void MemoryResumeStore::EnterRoom(std::string_view id, Term term, const std::string& room,
                                  uint64_t since) {
  absl::MutexLock lock(&mu_);
  Kept* const kept = FindHeld(id, term);
  if (kept == nullptr) return;
  std::vector<ResumeRecord::Room>& rooms = kept->record.rooms;
  if (absl::c_any_of(rooms, [&](const auto& in) { return in.name == room; })) return;
  rooms.push_back({room, since});
  Count(*kept);
  Bound();
  if (bytes_ <= options_.max_bytes) return;
  Erase(held_, *by_id_.find(id));
  ++refused_;
}

void MemoryResumeStore::ExitRoom(std::string_view id, Term term, std::string_view room) {
  absl::MutexLock lock(&mu_);
  Kept* const kept = FindHeld(id, term);
  if (kept == nullptr) return;
  std::erase_if(kept->record.rooms, [&](const auto& in) { return in.name == room; });
  if (kept->record.rooms.empty()) kept->record.rooms.shrink_to_fit();
  Count(*kept);
}

void MemoryResumeStore::Release(std::string_view id, Term term) {
  absl::MutexLock lock(&mu_);
  Kept* const kept = FindHeld(id, term);
  if (kept == nullptr) return;
  kept->released_at = clock_.SteadyMillis();
  released_.splice(released_.end(), held_, *by_id_.find(id));
  Bound();
}

void MemoryResumeStore::Delete(std::string_view id, Term term) {
  absl::MutexLock lock(&mu_);
  if (FindHeld(id, term) != nullptr) Erase(held_, *by_id_.find(id));
}

void MemoryResumeStore::Trim() {
  absl::MutexLock lock(&mu_);
  DropOld();
}

void MemoryResumeStore::DropOld() {
  const int64_t now = clock_.SteadyMillis();
  while (!released_.empty() && now - released_.front().released_at >= options_.max_age_ms) {
    Erase(released_, released_.begin());
  }
}

void MemoryResumeStore::Bound() {
  while (!released_.empty() &&
         (by_id_.size() > options_.max_records || bytes_ > options_.max_bytes)) {
    Erase(released_, released_.begin());
    ++evicted_;
  }
}

ResumeStore::Usage MemoryResumeStore::usage() const {
  absl::MutexLock lock(&mu_);
  return {held_.size(), released_.size(), bytes_, evicted_, refused_};
}

}  // namespace msab
