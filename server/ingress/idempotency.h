#ifndef MSAB_INGRESS_IDEMPOTENCY_H_
#define MSAB_INGRESS_IDEMPOTENCY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "server/base/clock.h"
#include "server/registry/registry.h"

namespace msab {

// Which event ids were emitted lately, and what came of them, so that an emit repeated after a lost
// answer changes nothing and gets the first result.
//
// An id is claimed by the first emit that names it, after every check that could refuse it, and
// given back if the log refuses it after all. Ids are remembered for a window, which every repeat
// begins anew, and up to a number: the one longest unheard of goes first. Ids whose emit is under
// way never go, so the number may be overshot by these.
//
// One lock; under it a look-up and two list operations, no allocation, no call out. A remembered id
// costs one allocation of about 100 bytes and the id.
//
// Owned by the Emitter. Any thread.
class Idempotency {
 public:
  struct Options {
    int64_t window_ms = 600'000;
    size_t max_entries = 1'000'000;
  };

  // What the first emit of an id came to.
  struct Result {
    uint64_t sequence = 0;
    Recipients recipients;
    bool superseded = false;
    bool expired = false;
  };

  // A repeat that waits for the first's result. Lives until it is told.
  class Waiter {
   public:
    // The first's result, or null if it failed: then the id is free, and Claim may be tried again.
    // On the thread that settled the first, without the lock.
    virtual void OnSettled(const Result* result) = 0;

   protected:
    ~Waiter() = default;

   private:
    friend class Idempotency;
    Waiter* next_ = nullptr;
  };

  // An id held by an emit under way. Opaque.
  struct Held;

  enum class Verdict {
    kFirst,   // `held` is the caller's: it calls Keep or Release, once
    kRepeat,  // `result` is the first's
    kWaits,   // the first is under way: the waiter will be told
    kOther,   // the id was used for something else
  };
  struct Claimed {
    Verdict verdict;
    Held* held = nullptr;
    Result result;
  };

  // `clock` outlives this.
  Idempotency(const Clock& clock, Options options);
  ~Idempotency();
  Idempotency(const Idempotency&) = delete;
  Idempotency& operator=(const Idempotency&) = delete;

  // Begins to fetch what Claim of this id will look at: the table is larger than any cache, and
  // there is work to do meanwhile.
  void Prefetch(std::string_view id) const;

  // Claims `id` for an emit whose content has this fingerprint.
  Claimed Claim(std::string_view id, uint64_t fingerprint, Waiter* waiter);

  // The emit was accepted: remembers its result and tells those who wait.
  void Keep(Held* held, const Result& result);

  // The emit failed: forgets the id and tells those who wait.
  void Release(Held* held);

  // Ids remembered or held.
  size_t size() const;

 private:
  class Table;
  const std::unique_ptr<Table> table_;
};

}  // namespace msab

#endif  // MSAB_INGRESS_IDEMPOTENCY_H_
