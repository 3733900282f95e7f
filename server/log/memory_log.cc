#include "server/log/memory_log.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/algorithm/container.h"

namespace msab {
namespace {

// A hash table is between 7/16 and 7/8 full.
constexpr size_t TableCost(size_t slot) { return (slot + 1) * 3 / 2; }

constexpr size_t kUserCost = TableCost(sizeof(std::pair<UserId, AudienceIndex>));
constexpr size_t kRoomCost = TableCost(sizeof(std::pair<AudienceKey, AudienceIndex>));
constexpr size_t kLatestCost =
    TableCost(sizeof(std::pair<uint64_t, absl::InlinedVector<uint64_t, 2>>));
constexpr size_t kExpiringCost = 24;  // a B-tree's nodes are a half to wholly full
constexpr size_t kControlBlock = 16;  // of std::make_shared

size_t StringCost(const std::string& s) {
  static const size_t kInline = std::string().capacity();
  return s.capacity() <= kInline ? 0 : HeapCost(s.capacity() + 1);
}

size_t EntryCost(const Entry& entry) {
  size_t cost = HeapCost(sizeof(Entry) + kControlBlock) + StringCost(entry.name) +
                StringCost(entry.target.room) + StringCost(entry.payload) +
                StringCost(entry.event_id) + StringCost(entry.except_connection);
  cost += HeapCost(entry.target.users.capacity() * sizeof(UserId));
  cost += HeapCost(entry.superseded_for.capacity() * sizeof(AudienceKey));
  if (entry.fields.capacity() > 4) cost += HeapCost(entry.fields.capacity() * sizeof(uint64_t));
  return cost;
}

bool IsLatest(const Entry& entry) { return entry.type->delivery == DeliveryClass::kLatest; }

// One audience's slots in a merge.
struct Run {
  const AudienceIndex::Slot* next;
  const AudienceIndex::Slot* end;

  // Past the holes; false at the end.
  bool Settle() {
    while (next != end && next->node == nullptr) ++next;
    return next != end;
  }
};

bool LaterRun(const Run& a, const Run& b) { return a.next->sequence > b.next->sequence; }

// Who reads, and when: what an entry's ttl and excepted user are compared with.
class Reader {
 public:
  Reader(absl::Span<const AudienceFrom> audiences, int64_t wall) : wall_(wall) {
    for (const AudienceFrom& audience : audiences) {
      const UserId user = audience.key.user;
      if (user != 0 && !absl::c_linear_search(users_, user)) users_.push_back(user);
    }
  }

  bool Gets(const AudienceIndex::Slot& slot) const {
    if (!slot.conditional) return true;
    const Entry& entry = *slot.node->entry;
    return !entry.ExpiredAt(wall_) &&
           (entry.except_user == 0 || !absl::c_linear_search(users_, entry.except_user));
  }

 private:
  const int64_t wall_;
  absl::InlinedVector<UserId, 1> users_;
};

}  // namespace

MemoryLog::MemoryLog(Options options, const Clock& clock, std::string epoch)
    : options_(options),
      clock_(clock),
      epoch_(std::move(epoch)),
      max_cuts_(options.max_bytes / 8 / (kRoomCost + sizeof(Cut))) {}

MemoryLog::~MemoryLog() {
  for (LogNode* node = first_; node != nullptr;) delete std::exchange(node, node->next);
}

template <typename F>
void MemoryLog::ForEachAudience(const Target& target, F f) {
  switch (target.kind) {
    case Target::Kind::kUsers:
      for (const UserId user : target.users) f(KeyRef{user, {}});
      return;
    case Target::Kind::kRoom:
      return f(KeyRef{0, target.room});
    case Target::Kind::kUserInRoom:
      return f(KeyRef{target.users.front(), target.room});
    case Target::Kind::kEveryone:
      return f(KeyRef{0, {}});
  }
}

uint64_t MemoryLog::LatestKey(const Entry& entry, KeyRef key) {
  return absl::HashOf(key, std::string_view(entry.name));
}

const AudienceIndex* MemoryLog::Find(KeyRef key) const {
  if (!key.room.empty()) {
    const auto it = rooms_.find(key);
    return it == rooms_.end() ? nullptr : &it->second;
  }
  if (key.user == 0) return &everyone_;
  const auto it = users_.find(key.user);
  return it == users_.end() ? nullptr : &it->second;
}

AudienceIndex* MemoryLog::FindMutable(KeyRef key) { return const_cast<AudienceIndex*>(Find(key)); }

AudienceIndex& MemoryLog::FindOrMake(KeyRef key) {
  if (key.room.empty() && key.user == 0) return everyone_;
  // What an audience without a record may have lost ends at the floor.
  if (key.room.empty()) {
    const auto [it, made] = users_.try_emplace(key.user, floor_);
    if (made) bytes_ += kUserCost;
    return it->second;
  }
  const auto it = rooms_.find(key);
  if (it != rooms_.end()) return it->second;
  const auto made = rooms_.try_emplace({key.user, std::string(key.room)}, floor_).first;
  bytes_ += kRoomCost + StringCost(made->first.room);
  return made->second;
}

void MemoryLog::Drop(KeyRef key) {
  if (key.room.empty()) {
    users_.erase(key.user);
    bytes_ -= kUserCost;
    return;
  }
  const auto it = rooms_.find(key);
  bytes_ -= kRoomCost + StringCost(it->first.room);
  rooms_.erase(it);
}

template <typename F>
void MemoryLog::Accounted(AudienceIndex& index, F change) {
  const size_t before = index.heap_bytes();
  change();
  bytes_ += index.heap_bytes() - before;
}

void MemoryLog::Link(LogNode* node) {
  node->previous = last_;
  (last_ == nullptr ? first_ : last_->next) = node;
  last_ = node;
  node->bytes = static_cast<uint32_t>(EntryCost(*node->entry) + HeapCost(sizeof(LogNode)));
  bytes_ += node->bytes;
  ++entries_;
  if (node->entry->expires_at != 0) {
    expiring_.emplace(node->entry->expires_at, node);
    bytes_ += kExpiringCost;
  }
}

void MemoryLog::Delete(LogNode* node) {
  (node->previous == nullptr ? first_ : node->previous->next) = node->next;
  (node->next == nullptr ? last_ : node->next->previous) = node->previous;
  bytes_ -= node->bytes;
  --entries_;
  if (node->entry->expires_at != 0) {
    expiring_.erase({node->entry->expires_at, node});
    bytes_ -= kExpiringCost;
  }
  delete node;
}

void MemoryLog::Evict(LogNode* node, int64_t wall) {
  if (!node->entry->ExpiredAt(wall)) ++evicted_;
  Delete(node);
}

std::optional<absl::StatusOr<Appended>> MemoryLog::Append(std::shared_ptr<Entry> entry) {
  absl::MutexLock lock(&mu_);
  // For the ttl of what is kept: mostly nothing has one, and the clock need not be read.
  const int64_t wall = expiring_.empty() ? 0 : clock_.WallMillis();
  const uint64_t head = head_.load(std::memory_order_relaxed);
  entry->sequence = head + 1;
  auto* const node = new LogNode{entry, clock_.SteadyMillis()};
  ForEachAudience(entry->target, [&](KeyRef key) {
    mu_.AssertHeld();
    if (!Index(node, key, wall)) {
      entry->superseded_for.push_back({key.user, std::string(key.room)});
    }
  });
  if (node->audiences == 0) {
    delete node;
    entry->sequence = 0;
    return Appended{head, true};
  }
  Link(node);
  head_.store(head + 1, std::memory_order_release);
  while (OverBounds() && first_ != nullptr) EvictFirst(wall);
  return Appended{head + 1, false};
}

bool MemoryLog::Index(LogNode* node, KeyRef key, int64_t wall) {
  AudienceIndex& index = FindOrMake(key);
  if (IsLatest(*node->entry) && !SettleLatest(*node->entry, key, index, wall)) return false;
  Accounted(index, [&] { index.Push(node); });
  ++node->audiences;
  if (index.size() > options_.max_per_audience) {
    LogNode* const oldest = index.front().node;
    CutFront(oldest, key, index, wall);
    if (oldest->audiences == 0) Evict(oldest, wall);
  }
  return true;
}

bool MemoryLog::SettleLatest(const Entry& entry, KeyRef key, AudienceIndex& index, int64_t wall) {
  const auto [it, made] = latest_.try_emplace(LatestKey(entry, key));
  auto& numbers = it->second;
  for (size_t i = 0; i < numbers.size();) {
    const AudienceIndex::Slot* const slot = index.Find(numbers[i]);
    LogNode* const kept = slot == nullptr ? nullptr : slot->node;  // null: of another key
    if (kept != nullptr && !kept->entry->ExpiredAt(wall) && OutdatedBy(entry, *kept->entry)) {
      return false;
    }
    if (kept == nullptr || !Replaces(entry, *kept->entry)) {
      ++i;
      continue;
    }
    numbers.erase(numbers.begin() + i);
    Accounted(index, [&] { index.Remove(kept->entry->sequence); });
    if (--kept->audiences == 0) Delete(kept);
  }
  numbers.push_back(entry.sequence);
  if (made) bytes_ += kLatestCost;
  return true;
}

void MemoryLog::CutFront(LogNode* node, KeyRef key, AudienceIndex& index, int64_t wall) {
  if (!node->entry->ExpiredAt(wall)) index.set_cut(node->entry->sequence);
  Accounted(index, [&] { index.PopFront(); });
  if (IsLatest(*node->entry)) ForgetLatest(*node->entry, key);
  --node->audiences;
}

void MemoryLog::TakeOut(LogNode* node, KeyRef key, AudienceIndex& index) {
  Accounted(index, [&] { index.Remove(node->entry->sequence); });
  if (IsLatest(*node->entry)) ForgetLatest(*node->entry, key);
  --node->audiences;
}

void MemoryLog::ForgetLatest(const Entry& entry, KeyRef key) {
  const auto it = latest_.find(LatestKey(entry, key));
  auto& numbers = it->second;
  numbers.erase(std::find(numbers.begin(), numbers.end(), entry.sequence));
  if (!numbers.empty()) return;
  latest_.erase(it);
  bytes_ -= kLatestCost;
}

void MemoryLog::Settle(KeyRef key, AudienceIndex& index) {
  if (!index.empty() || index.queued() || &index == &everyone_) return;
  if (index.cut() <= floor_) return Drop(key);
  index.set_queued(true);
  cuts_.push_back({{key.user, std::string(key.room)}, index.cut()});
  bytes_ += sizeof(Cut) + StringCost(cuts_.back().key.room);
  ForgetCuts();
}

void MemoryLog::ForgetCuts() {
  // A few looks at a time, so that nobody waits long for the lock: where many were in use again,
  // the next call goes on, and the list is a little too long until then.
  constexpr int kLooks = 16;
  for (int looks = 0; looks < kLooks && cuts_.size() > max_cuts_; ++looks) {
    Cut oldest = std::move(cuts_.front());
    cuts_.pop_front();
    const KeyRef key = Ref(oldest.key);
    AudienceIndex& index = *FindMutable(key);
    if (index.empty() && index.cut() > oldest.number) {
      // It was in use and cut again since: its turn comes later.
      oldest.number = index.cut();
      cuts_.push_back(std::move(oldest));
      continue;
    }
    index.set_queued(false);
    if (index.empty()) {
      floor_ = std::max(floor_, index.cut());
      Drop(key);
    }
    bytes_ -= sizeof(Cut) + StringCost(oldest.key.room);
  }
}

void MemoryLog::EvictFirst(int64_t wall) {
  LogNode* const node = first_;
  // Held by whichever of its audiences has it in front: all with lower numbers are gone.
  ForEachAudience(node->entry->target, [&](KeyRef key) {
    mu_.AssertHeld();
    AudienceIndex* const index = FindMutable(key);
    if (index == nullptr || index->empty() || index->front().node != node) return;
    CutFront(node, key, *index, wall);
    Settle(key, *index);
  });
  Evict(node, wall);
}

void MemoryLog::Expire(LogNode* node) {
  ForEachAudience(node->entry->target, [&](KeyRef key) {
    mu_.AssertHeld();
    AudienceIndex* const index = FindMutable(key);
    if (index == nullptr || index->Find(node->entry->sequence) == nullptr) return;
    TakeOut(node, key, *index);
    Settle(key, *index);
  });
  Delete(node);
}

void MemoryLog::Trim() {
  // In small steps, so that nobody waits long for the lock. An entry counts as many times as it has
  // audiences: each is an index to be changed.
  constexpr int64_t kStep = 256;
  bool more = true;
  while (more) {
    const int64_t wall = clock_.WallMillis();
    const int64_t oldest = clock_.SteadyMillis() - options_.max_age_ms;
    absl::MutexLock lock(&mu_);
    int64_t left = kStep;
    while (left > 0 && !expiring_.empty() && expiring_.begin()->first <= wall) {
      LogNode* const node = expiring_.begin()->second;
      left -= 1 + int64_t{node->audiences};
      Expire(node);
    }
    while (left > 0 && first_ != nullptr && first_->accepted_at <= oldest) {
      left -= 1 + int64_t{first_->audiences};
      EvictFirst(wall);
    }
    more = left <= 0;
  }
}

template <typename Visit>
void MemoryLog::Merge(absl::Span<const AudienceFrom> audiences, uint64_t upto, int64_t wall,
                      Visit visit) const {
  const Reader reader(audiences, wall);
  absl::InlinedVector<Run, 8> runs;
  for (const AudienceFrom& audience : audiences) {
    const AudienceIndex* const index = Find(Ref(audience.key));
    if (index == nullptr) continue;
    const absl::Span<const AudienceIndex::Slot> slots = index->Range(audience.after, upto);
    Run run{slots.data(), slots.data() + slots.size()};
    if (run.Settle()) runs.push_back(run);
  }
  std::make_heap(runs.begin(), runs.end(), LaterRun);
  uint64_t last = 0;  // an entry may be in several of the audiences
  while (!runs.empty()) {
    std::pop_heap(runs.begin(), runs.end(), LaterRun);
    Run& run = runs.back();
    const uint64_t other = runs.size() == 1 ? std::numeric_limits<uint64_t>::max()
                                            : uint64_t{runs.front().next->sequence};
    bool more = true;
    do {
      const AudienceIndex::Slot& slot = *run.next++;
      if (slot.sequence != last && reader.Gets(slot) && !visit(slot)) return;
      last = slot.sequence;
      more = run.Settle();
    } while (more && run.next->sequence <= other);
    if (more) {
      std::push_heap(runs.begin(), runs.end(), LaterRun);
    } else {
      runs.pop_back();
    }
  }
}

bool MemoryLog::Covers(const AudienceFrom& audience) const {
  const AudienceIndex* const index = Find(Ref(audience.key));
  return audience.after >= (index == nullptr ? floor_ : index->cut());
}

LogPage MemoryLog::Read(absl::Span<const AudienceFrom> audiences, uint64_t upto,
                        size_t limit) const {
  LogPage page;
  const int64_t wall = clock_.WallMillis();
  absl::ReaderMutexLock lock(&mu_);
  for (const AudienceFrom& audience : audiences) {
    if (!Covers(audience)) {
      page.gap = true;
      return page;
    }
  }
  page.through = upto;
  Merge(audiences, upto, wall, [&](const AudienceIndex::Slot& slot) {
    if (page.entries.size() == limit) {
      page.through = page.entries.back()->sequence;
      return false;
    }
    page.entries.push_back(slot.node->entry);
    return true;
  });
  return page;
}

LogCount MemoryLog::Count(absl::Span<const AudienceFrom> audiences, uint64_t upto) const {
  LogCount count;
  const Reader reader(audiences, clock_.WallMillis());
  absl::ReaderMutexLock lock(&mu_);
  for (const AudienceFrom& audience : audiences) {
    if (!Covers(audience)) return {.gap = true};
    const AudienceIndex* const index = Find(Ref(audience.key));
    if (index == nullptr) continue;
    for (const AudienceIndex::Slot& slot : index->Range(audience.after, upto)) {
      if (slot.node == nullptr || !reader.Gets(slot)) continue;
      ++count.entries;
      if (slot.latest) count.states.push_back(slot.node->entry);
    }
  }
  absl::c_sort(count.states,
               [](const EntryPtr& a, const EntryPtr& b) { return a->sequence < b->sequence; });
  return count;
}

bool MemoryLog::Covers(absl::Span<const AudienceFrom> audiences) const {
  absl::ReaderMutexLock lock(&mu_);
  return absl::c_all_of(audiences, [this](const AudienceFrom& audience) {
    mu_.AssertReaderHeld();
    return Covers(audience);
  });
}

EventLog::Usage MemoryLog::usage() const {
  absl::ReaderMutexLock lock(&mu_);
  Usage usage;
  usage.entries = entries_;
  usage.bytes = bytes_;
  usage.audiences = users_.size() + rooms_.size() + (everyone_.empty() ? 0 : 1);
  usage.evicted = evicted_;
  return usage;
}

}  // namespace msab
