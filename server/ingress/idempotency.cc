#include "server/ingress/idempotency.h"

#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "boost/intrusive/list.hpp"

namespace msab {
namespace {

// How many outdated ids a claim clears away: more than it adds, so that they can't pile up.
constexpr int kCleared = 2;

// Tables in one: a table that grows moves all it holds, and everyone waits meanwhile.
constexpr size_t kTables = 64;  // as many as six bits tell apart

}  // namespace

// One id, its characters behind it in the same allocation. In a table always; in the order only
// once it is settled.
struct Idempotency::Held : public boost::intrusive::list_base_hook<
                               boost::intrusive::link_mode<boost::intrusive::normal_link>> {
  size_t hash = 0;
  uint64_t fingerprint = 0;
  int64_t until = 0;          // steady ms
  Waiter* waiters = nullptr;  // while under way; last come first
  Result result;              // once settled
  bool settled = false;
  uint8_t id_size = 0;

  std::string_view id() const { return {reinterpret_cast<const char*>(this + 1), id_size}; }

  static Held* New(std::string_view id, size_t hash, uint64_t fingerprint) {
    Held* held = new (::operator new(sizeof(Held) + id.size())) Held;
    held->hash = hash;
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
  explicit Table(Options options) : options_(options) {}

  ~Table() {
    order_.clear();
    for (Ids& ids : ids_) {
      for (const Place& place : ids) place.held->Delete();
    }
  }

  Claimed Claim(std::string_view id, uint64_t fingerprint, int64_t now, Waiter* waiter);
  void Keep(Held* held, const Result& result);
  void Release(Held* held);
  size_t size() const {
    absl::MutexLock lock(&mu_);
    return size_;
  }

 private:
  using Order = boost::intrusive::list<Held>;

  // A held id beside its hash: to tell two apart, or to move them, their memory is not touched.
  struct Place {
    size_t hash;
    Held* held;
  };
  struct HashOf {
    size_t operator()(const Place& place) const { return place.hash; }
  };
  struct Same {
    bool operator()(const Place& a, const Place& b) const {
      return a.hash == b.hash && a.held->id() == b.held->id();
    }
  };
  using Ids = absl::flat_hash_set<Place, HashOf, Same>;

  // The hash's upper bits choose the table; the table uses the lower ones.
  Ids& IdsOf(size_t hash) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return ids_[hash >> 58]; }

  void Forget(Held& held) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    IdsOf(held.hash).erase(Place{held.hash, &held});
    --size_;
  }

  // Takes the longest unheard of out of table and order; the caller deletes it.
  void DropOldest(Order& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Held& oldest = order_.front();
    order_.pop_front();
    Forget(oldest);
    dropped.push_back(oldest);
  }

  static void Tell(Waiter* waiters, const Result* result);

  // Constant after construction
  const Options options_;

  // Any thread
  mutable absl::Mutex mu_;
  std::array<Ids, kTables> ids_ ABSL_GUARDED_BY(mu_);
  size_t size_ ABSL_GUARDED_BY(mu_) = 0;
  Order order_ ABSL_GUARDED_BY(mu_);  // settled ones; those longest unheard of first
};

Idempotency::Claimed Idempotency::Table::Claim(std::string_view id, uint64_t fingerprint,
                                               int64_t now, Waiter* waiter) {
  const size_t hash = absl::Hash<std::string_view>()(id);
  // Allocated and freed without the lock; a repeat, which needs neither, is the rare case.
  Held* fresh = Held::New(id, hash, fingerprint);
  fresh->until = now + options_.window_ms;
  Order dropped;
  const Claimed claimed = [&]() -> Claimed {
    absl::MutexLock lock(&mu_);
    for (int i = 0; i < kCleared && !order_.empty() && order_.front().until <= now; ++i) {
      DropOldest(dropped);
    }
    const auto [place, is_new] = IdsOf(hash).insert({hash, fresh});
    if (is_new) {
      ++size_;
      while (size_ > options_.max_entries && !order_.empty()) DropOldest(dropped);
      return {Verdict::kFirst, std::exchange(fresh, nullptr), {}};
    }
    Held& held = *place->held;
    if (held.settled && held.until <= now) {  // outdated, only not cleared away yet
      order_.erase(order_.iterator_to(held));
      held.settled = false;
      held.until = fresh->until;
      held.fingerprint = fingerprint;
      return {Verdict::kFirst, &held, {}};
    }
    if (held.fingerprint != fingerprint) return {Verdict::kOther, nullptr, {}};
    if (!held.settled) {
      waiter->next_ = std::exchange(held.waiters, waiter);
      return {Verdict::kWaits, nullptr, {}};
    }
    held.until = fresh->until;
    order_.splice(order_.end(), order_, order_.iterator_to(held));
    return {Verdict::kRepeat, nullptr, held.result};
  }();
  if (fresh != nullptr) fresh->Delete();
  dropped.clear_and_dispose([](Held* held) { held->Delete(); });
  return claimed;
}

void Idempotency::Table::Keep(Held* held, const Result& result) {
  Waiter* waiters;
  {
    absl::MutexLock lock(&mu_);
    held->settled = true;
    held->result = result;
    waiters = std::exchange(held->waiters, nullptr);
    order_.push_back(*held);
  }
  Tell(waiters, &result);
}

void Idempotency::Table::Release(Held* held) {
  Waiter* waiters;
  {
    absl::MutexLock lock(&mu_);
    waiters = held->waiters;
    Forget(*held);
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

Idempotency::Idempotency(Options options) : table_(std::make_unique<Table>(options)) {}
Idempotency::~Idempotency() = default;

Idempotency::Claimed Idempotency::Claim(std::string_view id, uint64_t fingerprint, int64_t now,
                                        Waiter* waiter) {
  return table_->Claim(id, fingerprint, now, waiter);
}
void Idempotency::Keep(Held* held, const Result& result) { table_->Keep(held, result); }
void Idempotency::Release(Held* held) { table_->Release(held); }
size_t Idempotency::size() const { return table_->size(); }

}  // namespace msab
