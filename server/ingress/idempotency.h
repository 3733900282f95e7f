#ifndef MSAB_INGRESS_IDEMPOTENCY_H_
#define MSAB_INGRESS_IDEMPOTENCY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "server/registry/registry.h"

namespace msab {

// Which event ids were emitted lately, and what came of them, so that an emit repeated after a lost
// answer changes nothing and gets the first result.
//
// An id is claimed by the first emit that names it, after every check that could refuse it, and
// given back if the log refuses it after all. Ids are remembered for a window from their emit,
// which every repeat begins anew, and up to a number: the one longest unheard of goes first. Ids
// whose emit is under way never go, so the number may be overshot by these.
//
// One lock; under it a look-up and two list operations, and no call out. A remembered id costs one
// allocation of 80 bytes and the id, and its place in a table.
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

  explicit Idempotency(Options options);
  ~Idempotency();
  Idempotency(const Idempotency&) = delete;
  Idempotency& operator=(const Idempotency&) = delete;

  // Claims `id` for an emit whose content has this fingerprint. `now` is steady milliseconds.
  Claimed Claim(std::string_view id, uint64_t fingerprint, int64_t now, Waiter* waiter);

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
