#ifndef MSAB_INGRESS_EMITTER_H_
#define MSAB_INGRESS_EMITTER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "google/rpc/status.pb.h"
#include "server/base/clock.h"
#include "server/base/counter.h"
#include "server/base/logging.h"
#include "server/contract/catalog.h"
#include "server/dispatch/dispatcher.h"
#include "server/dispatch/event_intake.h"
#include "server/ingress/idempotency.h"
#include "server/ingress/refusal.h"

namespace msab {

namespace v1 {
class EmitEventRequest;
class EmitEventResponse;
}  // namespace v1

class Emitter;

// One emit under way. Made by whoever received the event, which keeps it until Done was called.
// One thread at a time.
class Emit : private Idempotency::Waiter {
 public:
  Emit(const Emit&) = delete;
  Emit& operator=(const Emit&) = delete;

  // After Done: null if the event was accepted.
  const google::rpc::Status* refusal() const { return refusal_.get(); }

  // After Done, if it was accepted: writes the answer.
  void Answer(v1::EmitEventResponse& response) const;

 protected:
  Emit() = default;
  ~Emit() = default;

  // The outcome is there. Once; before Emitter::Start returns, or on the log's thread.
  virtual void Done() = 0;

 private:
  friend class Emitter;
  void OnSettled(const Idempotency::Result* result) final;

  Emitter* emitter_ = nullptr;
  const std::string* client_ = nullptr;
  std::shared_ptr<Entry> entry_;  // immutable once dispatched
  uint64_t fingerprint_ = 0;
  Idempotency::Held* held_ = nullptr;
  Idempotency::Result result_;
  bool duplicate_ = false;
  std::unique_ptr<google::rpc::Status> refusal_;
};

// The one way of an event into the house, whichever protocol brought it: admission, contract,
// idempotency, dispatch, answer. Counts what becomes of every emit, and says of each refused one
// why (code, client, event and the fields' paths; never a value).
//
// Owned by the Relay; outlives the services that call it. Any thread.
class Emitter final : public EventIntake {
 public:
  struct Options {
    size_t max_in_flight = 10'000;  // calls and stream messages being worked on
    Idempotency::Options idempotency{};
  };

  // What became of the emits so far.
  struct Stats {
    explicit Stats(size_t event_types) : accepted(event_types) {}

    std::vector<SharedCounter> accepted;             // by EventType::index; no duplicates
    std::array<SharedCounter, kRpcCodes> refused{};  // by google.rpc.Code
    SharedCounter duplicates;
    SharedCounter superseded;
    SharedCounter expired;
    SharedCounter unreached;  // accepted, and no connection was there to get it
  };

  // All outlive the Emitter.
  Emitter(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher, Options options);

  // A place among the calls in flight, held while one is worked on. False, with the refusal, when
  // draining or when there are too many. Leave is called once for each Enter that was true.
  bool Enter(google::rpc::Status& refusal);
  void Leave() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

  // When events come in: asked for once a call, however many they are.
  struct Moment {
    int64_t wall;    // ms since 1970
    int64_t steady;  // ms
  };
  Moment Now() const { return {clock_.WallMillis(), clock_.SteadyMillis()}; }

  // Takes an event in. `request` is read before Start returns, and not again; `client` (the name
  // of the API key) and `emit` live until Done.
  void Start(Emit& emit, const v1::EmitEventRequest& request, const std::string& client,
             const Moment& now);

  // In the place of Start, for an event that could not even be read: it is Done, and counted.
  void Reject(Emit& emit, google::rpc::Status refusal, const std::string& client);

  // EventIntake: what the relay emits in the application's name. Also while draining: it is what
  // becomes of a command that was under way. Counted like any other emit.
  void Take(const v1::EmitEventRequest& request,
            absl::AnyInvocable<void(absl::Status)> done) override;

  // Counts and logs a refusal that happened before Start: of a call as a whole.
  void Refused(const google::rpc::Status& refusal, std::string_view client,
               std::string_view event = {});

  // The head of the log, as the wire names it.
  std::string Cursor() const { return CursorAt(dispatcher_.Head()); }

  // From now on every call is refused with UNAVAILABLE. For good.
  void Drain() { draining_.store(true, std::memory_order_relaxed); }
  static google::rpc::Status DrainingRefusal();
  bool draining() const { return draining_.load(std::memory_order_relaxed); }

  const Catalog& catalog() const { return catalog_; }
  const Stats& stats() const { return stats_; }
  size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  size_t remembered_ids() const { return idempotency_.size(); }

 private:
  friend class Emit;

  std::string CursorAt(uint64_t sequence) const;
  // Claims the id, if the caller gave one, then dispatches.
  void Claim(Emit& emit, int64_t now);
  void Dispatch(Emit& emit);
  void OnDispatched(Emit& emit, absl::StatusOr<Dispatched> outcome);
  void Accept(Emit& emit, const Idempotency::Result& result, bool duplicate);
  void Refuse(Emit& emit, google::rpc::Status refusal, std::string_view event);

  // Constant after construction
  const Catalog& catalog_;
  const Clock& clock_;
  Dispatcher& dispatcher_;
  const Options options_;
  const std::string cursor_prefix_;  // "<epoch>-"

  // Any thread
  std::atomic<bool> draining_{false};
  std::atomic<size_t> in_flight_{0};
  Idempotency idempotency_;
  Stats stats_;
  std::deque<LogEvery> log_refused_;  // by google.rpc.Code
};

}  // namespace msab

#endif  // MSAB_INGRESS_EMITTER_H_
