#include "server/ingress/idempotency.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "boost/intrusive/list.hpp"
#include "boost/intrusive/unordered_set.hpp"

namespace msab {
namespace {

namespace intrusive = boost::intrusive;
using InTable = intrusive::unordered_set_base_hook<intrusive::link_mode<intrusive::normal_link>,
                                                   intrusive::store_hash<true>>;
using InOrder = intrusive::list_base_hook<intrusive::link_mode<intrusive::normal_link>>;

// How many outdated ids a claim clears away: more than it adds, so that they can't pile up.
constexpr int kCleared = 2;

}  // namespace

// One id, its characters behind it in the same allocation. In the table always; in the order only
// once it is settled.
struct Idempotency::Held : public InTable, public InOrder {
  uint64_t fingerprint = 0;
  int64_t until = 0;          // steady ms; once settled
  Waiter* waiters = nullptr;  // while under way; last come first
  Result result;              // once settled
  bool settled = false;
  uint8_t id_size = 0;

  std::string_view id() const { return {reinterpret_cast<const char*>(this + 1), id_size}; }

  static Held* New(std::string_view id, uint64_t fingerprint) {
    Held* held = new (::operator new(sizeof(Held) + id.size())) Held;
    held->fingerprint = fingerprint;
    held->id_size = static_cast<uint8_t>(id.size());
    std::memcpy(static_cast<void*>(held + 1), id.data(), id.size());
    return held;
  }
  void Delete() {
    this->~Held();
    ::operator delete(this);
  }
};

class Idempotency::Table {
 public:
  Table(const Clock& clock, Options options)
      : clock_(clock),
        options_(options),
        buckets_(std::bit_ceil(std::max<size_t>(options.max_entries, 16))),
        ids_(Ids::bucket_traits(buckets_.data(), buckets_.size())) {}

  ~Table() {
    order_.clear();
    ids_.clear_and_dispose([](Held* held) { held->Delete(); });
  }

  void Prefetch(std::string_view id) const {
    const size_t hash = absl::Hash<std::string_view>()(id);
    __builtin_prefetch(&buckets_[hash & (buckets_.size() - 1)]);
  }
  Claimed Claim(std::string_view id, uint64_t fingerprint, Waiter* waiter);
  void Keep(Held* held, const Result& result);
  void Release(Held* held);
  size_t size() const {
    absl::MutexLock lock(&mu_);
    return ids_.size();
  }

 private:
  struct Key {
    std::string_view id;
    size_t hash;
  };
  struct HashOf {
    size_t operator()(const Key& key) const { return key.hash; }
    size_t operator()(const Held& held) const { return absl::Hash<std::string_view>()(held.id()); }
  };
  struct Same {
    bool operator()(const Key& key, const Held& held) const { return key.id == held.id(); }
    bool operator()(const Held& a, const Held& b) const { return a.id() == b.id(); }
  };
  using Ids = intrusive::unordered_set<Held, intrusive::base_hook<InTable>, intrusive::hash<HashOf>,
                                       intrusive::equal<Same>, intrusive::power_2_buckets<true>,
                                       intrusive::compare_hash<true>>;
  using Order = intrusive::list<Held, intrusive::base_hook<InOrder>>;

  // Puts a settled id at the end of the order: its window begins.
  void Remember(Held& held, int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    held.until = now + options_.window_ms;
    order_.push_back(held);
  }

  // Takes the longest unheard of out of table and order; the caller deletes it.
  void DropOldest(Order& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Held& oldest = order_.front();
    order_.pop_front();
    ids_.erase(ids_.iterator_to(oldest));
    dropped.push_back(oldest);
  }

  static void Tell(Waiter* waiters, const Result* result);

  // Constant after construction
  const Clock& clock_;
  const Options options_;

  // Any thread
  mutable absl::Mutex mu_;
  // As many as are needed at the most, from the start: a table that grows stops everyone.
  std::vector<Ids::bucket_type> buckets_;
  Ids ids_ ABSL_GUARDED_BY(mu_);
  Order order_ ABSL_GUARDED_BY(mu_);  // settled ones; those longest unheard of first
};

Idempotency::Claimed Idempotency::Table::Claim(std::string_view id, uint64_t fingerprint,
                                               Waiter* waiter) {
  const Key key{id, absl::Hash<std::string_view>()(id)};
  const int64_t now = clock_.SteadyMillis();
  // Allocated and freed without the lock; a repeat, which needs neither, is the rare case.
  Held* fresh = Held::New(id, fingerprint);
  Order dropped;
  const Claimed claimed = [&]() -> Claimed {
    absl::MutexLock lock(&mu_);
    for (int i = 0; i < kCleared && !order_.empty() && order_.front().until <= now; ++i) {
      DropOldest(dropped);
    }
    Ids::insert_commit_data place;
    const auto [found, is_new] = ids_.insert_check(key, HashOf(), Same(), place);
    if (is_new) {
      Held* const held = std::exchange(fresh, nullptr);
      ids_.insert_commit(*held, place);
      while (ids_.size() > options_.max_entries && !order_.empty()) DropOldest(dropped);
      return {Verdict::kFirst, held, {}};
    }
    Held& held = *found;
    if (held.settled && held.until <= now) {  // outdated, only not cleared away yet
      order_.erase(order_.iterator_to(held));
      held.settled = false;
      held.fingerprint = fingerprint;
      return {Verdict::kFirst, &held, {}};
    }
    if (held.fingerprint != fingerprint) return {Verdict::kOther, nullptr, {}};
    if (!held.settled) {
      waiter->next_ = std::exchange(held.waiters, waiter);
      return {Verdict::kWaits, nullptr, {}};
    }
    order_.erase(order_.iterator_to(held));
    Remember(held, now);
    return {Verdict::kRepeat, nullptr, held.result};
  }();
  if (fresh != nullptr) fresh->Delete();
  dropped.clear_and_dispose([](Held* held) { held->Delete(); });
  return claimed;
}

void Idempotency::Table::Keep(Held* held, const Result& result) {
  const int64_t now = clock_.SteadyMillis();
  Waiter* waiters;
  {
    absl::MutexLock lock(&mu_);
    held->settled = true;
    held->result = result;
    waiters = std::exchange(held->waiters, nullptr);
    Remember(*held, now);
  }
  Tell(waiters, &result);
}

void Idempotency::Table::Release(Held* held) {
  Waiter* waiters;
  {
    absl::MutexLock lock(&mu_);
    waiters = held->waiters;
    ids_.erase(ids_.iterator_to(*held));
  }
  held->Delete();
  Tell(waiters, nullptr);
}

void Idempotency::Table::Tell(Waiter* waiters, const Result* result) {
  Waiter* in_order = nullptr;
  while (waiters != nullptr) {
    Waiter* const waiter = std::exchange(waiters, waiters->next_);
    waiter->next_ = std::exchange(in_order, waiter);
  }
  while (in_order != nullptr) {
    // Told, it may be gone, or wait again.
    Waiter* const waiter = std::exchange(in_order, in_order->next_);
    waiter->OnSettled(result);
  }
}

Idempotency::Idempotency(const Clock& clock, Options options)
    : table_(std::make_unique<Table>(clock, options)) {}
Idempotency::~Idempotency() = default;

void Idempotency::Prefetch(std::string_view id) const { table_->Prefetch(id); }
Idempotency::Claimed Idempotency::Claim(std::string_view id, uint64_t fingerprint, Waiter* waiter) {
  return table_->Claim(id, fingerprint, waiter);
}
void Idempotency::Keep(Held* held, const Result& result) { table_->Keep(held, result); }
void Idempotency::Release(Held* held) { table_->Release(held); }
size_t Idempotency::size() const { return table_->size(); }

}  // namespace msab
