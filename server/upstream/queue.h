#ifndef MSAB_UPSTREAM_QUEUE_H_
#define MSAB_UPSTREAM_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "server/base/clock.h"
#include "server/upstream/answer.h"
#include "server/upstream/breaker.h"
#include "server/upstream/stats.h"
#include "server/upstream/webhook.h"

namespace msab {

// One POST to be made now. A plain value.
struct WebhookAttempt {
  uint64_t id = 0;
  std::string message_id;  // the header webhook-id: the same whenever the same commands go again
  std::string body;
  int64_t give_up = 0;  // steady ms: from then on its answer is of no use
};

// What came of it.
struct WebhookAnswer {
  int status = 0;            // HTTP's; 0: no answer
  std::string body = {};     // of a 200
  std::string failure = {};  // why there was none, for the log
  std::optional<int64_t> retry_after_ms = {};
  // The connection had been kept alive and was closed before a byte of the answer came: most likely
  // the peer had ended it when the request went out, so there is nothing to wait for.
  bool stale = false;
};

// Which commands go when, together with which others, and what their answers mean: the whole of
// the contract page's section 9 but the bytes on the wire. A state machine that is told the time;
// it owns no thread, no socket and no timer.
//
//   waiting, by user → in a batch: in flight ⇄ waiting for its retry → decided
//
// A user's commands are in one batch at most, from the moment that it is made to the moment that
// the last of them is decided; what the user sends meanwhile waits. So one user's commands reach
// the application one batch after the other, in order, retries included.
//
// Not thread-safe. Owned by the WebhookClient, on its thread.
class WebhookQueue {
 public:
  struct Options {
    size_t max_batch = 32;                 // commands in a batch
    size_t max_body = size_t{256} * 1024;  // bytes
    size_t max_in_flight = 8;              // batches
    size_t max_commands = 16'384;          // that may be here at once; beyond: kOverloaded
    size_t max_per_user = 256;             // of these
    int64_t deadline_ms = 5'000;           // from Submit to an outcome
    int64_t late_ms = 30'000;              // from Submit to the last moment of a late kAccepted
    int64_t first_retry_ms = 100;          // doubles with every further one
    int64_t breaker_ms = 5'000;            // how long an open breaker lets nothing through
    int64_t overloaded_retry_ms = 1'000;   // what a refused one is told
    // 0 ≤ jitter() < 1: how far a wait is stretched, at most by half.
    std::function<double()> jitter = [] { return 0.0; };
    // Hears what Health says after an answer, before the outcomes that the answer leads to: who
    // knows of the outcome finds the health that goes with it.
    std::function<void(absl::Status)> on_health = [](const absl::Status&) {};
  };

  // Both outlive the queue.
  WebhookQueue(const Clock& clock, Options options, WebhookStats& stats);
  ~WebhookQueue();

  // `done` may run before it returns. Takes its part in stats.unanswered away once it has run.
  void Submit(WebhookCommand command, Webhook::Done done);

  // A batch that is to go now. Call until there is none; each is answered for by Answer, once.
  std::optional<WebhookAttempt> Take();

  // Tells what became of an attempt.
  void Answer(uint64_t attempt, const WebhookAnswer& answer);

  // Gives those their outcome whose deadline has come.
  void Tick();

  // When Tick, and then Take, have something to do that nothing else calls for: steady ms,
  // INT64_MAX: never.
  int64_t NextTick() const;

  // Every command that has no outcome yet is kUnavailable. Attempts under way go on.
  void GiveUp();

  // OK, or what is wrong with the application as far as can be told from here.
  absl::Status Health() const;

 private:
  struct Command;
  using CommandPtr = std::shared_ptr<Command>;
  struct Batch;
  using BatchPtr = std::unique_ptr<Batch>;
  struct User;
  using Commands = std::vector<CommandPtr>;

  // No further batch may be in flight.
  bool Full() const {
    return in_flight_.size() >= (breaker_.tripped() ? 1 : options_.max_in_flight);
  }
  BatchPtr TakeParked(int64_t now);
  BatchPtr TakeFresh();
  WebhookAttempt Launch(BatchPtr batch);

  // What an answer means for its batch.
  void OnResults(BatchPtr batch, std::vector<Verdict> verdicts);
  void OnRefused(BatchPtr batch);
  void OnDenied(const Batch& batch, int status);
  void OnFailed(BatchPtr batch, const WebhookAnswer& answer);

  // Lets the batch wait for its next attempt, at `due` (steady ms) or its last deadline.
  void Park(BatchPtr batch, int64_t due);
  // Takes out what has been decided; false if nothing is left.
  bool Trim(Batch& batch);
  int64_t Backoff(int tries) const;

  // Gives the command its outcome, or its late one.
  void Decide(Command& command, WebhookResult result);
  // Every command that has no outcome yet is kUnavailable; those in flight, too, if `all`.
  void DecideUnavailable(bool all);

  // The users of these commands may be in another batch.
  void Release(const Commands& commands);
  void MakeReady(int64_t id, User& user);
  void ForgetIfIdle(int64_t id);

  void TellHealth() const { options_.on_health(Health()); }
  void NoteSuccess();
  void NoteFailure(std::string what);

  // Constant after construction
  const Clock& clock_;
  const Options options_;

  WebhookStats& stats_;
  Breaker breaker_;
  uint64_t last_command_ = 0;
  uint64_t last_attempt_ = 0;
  absl::flat_hash_map<int64_t, User> users_;
  std::list<int64_t> ready_;                           // users that a batch may take from, in order
  std::multimap<int64_t, BatchPtr> parked_;            // by when they are due
  absl::flat_hash_map<uint64_t, BatchPtr> in_flight_;  // by attempt
  std::deque<CommandPtr> deadlines_;                   // the nearest first
  int failures_ = 0;                                   // in a row
  std::string failure_;                                // the last one
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_QUEUE_H_
