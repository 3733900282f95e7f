#ifndef MSAB_LOG_EVENT_LOG_H_
#define MSAB_LOG_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/contract/audience.h"
#include "server/contract/entry.h"

namespace msab {

// What became of an append. Refused: a status (UNAVAILABLE: out of reach, nothing was kept).
struct Appended {
  uint64_t sequence = 0;    // the entry's number; with `superseded`, the head
  bool superseded = false;  // LATEST and already replaced for every recipient: not kept, no number
};

// An audience and the number after which it is to be read.
struct AudienceFrom {
  AudienceKey key;
  uint64_t after = 0;
};

// A page of history.
struct LogPage {
  // True: part of what was asked for, of these audiences, is kept no longer; `entries` is empty.
  bool gap = false;
  // Ascending by sequence, no entry twice, none past its ttl, none LATEST that was replaced, none
  // that excepts (`except_user`) a user whom one of the audiences names.
  std::vector<EntryPtr> entries;
  // Everything up to here was looked at: the `after` of the next page. Equal to the `upto` asked
  // for when nothing is left.
  uint64_t through = 0;
};

// How much history there is.
struct LogCount {
  bool gap = false;                   // as LogPage has it; nothing is counted then
  size_t entries = 0;                 // that Read would give
  std::vector<EntryPtr> states = {};  // of them, those that are LATEST, ascending
};

// The one ordered log of accepted DURABLE and LATEST events (EPHEMERAL ones never enter).
//
// History does not depend on who is connected. It is bounded by number, age and bytes, in all and
// per audience, and every audience remembers the number up to which it was cut, so that a reader
// is told of a gap only if one of *its own* audiences lost something after its cursor.
//
// Lock order: Dispatcher, then log. The Dispatcher calls Append under its lock; a log never calls
// back into the Dispatcher from inside Append.
class EventLog {
 public:
  // Hears of appends that complete late. Called on the log's own thread, one call at a time, in
  // the order of the numbers.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnAppended(std::shared_ptr<Entry> entry, absl::StatusOr<Appended> outcome) = 0;
  };

  virtual ~EventLog() = default;

  // Where late outcomes go. Once, before the first Append. The listener outlives the log's use.
  virtual void SetListener(Listener* listener) = 0;

  // Numbers and keeps `entry`, setting its `sequence` and `superseded_for`. Returns the outcome if
  // it is known at once; else nothing, and the listener hears it later (in the log's order, which
  // need not be the callers'). `entry` is the log's until then. Dispatcher's lock held.
  virtual std::optional<absl::StatusOr<Appended>> Append(std::shared_ptr<Entry> entry) = 0;

  // The number of the last entry kept, 0 before the first. Any thread.
  virtual uint64_t Head() const = 0;

  // [0-9a-z]{1,16}; constant; new in each life of a log that forgets. Any thread.
  virtual const std::string& epoch() const = 0;

  // Reads what `audiences` got, each after its own number, up to and with `upto`, at most `limit`
  // entries. A gap is judged for each audience from its own `after`. Any thread.
  virtual LogPage Read(absl::Span<const AudienceFrom> audiences, uint64_t upto,
                       size_t limit) const = 0;

  // Counts what Read would give, at a small part of what reading it would cost. No entry may have
  // gone to two of `audiences`: those of one session are such. Any thread.
  virtual LogCount Count(absl::Span<const AudienceFrom> audiences, uint64_t upto) const = 0;

  // True if no audience of these was cut after its `after`. Any thread.
  virtual bool Covers(absl::Span<const AudienceFrom> audiences) const = 0;

  // Drops what age, and ttl, have ended. Called now and then (about once a second). Any thread.
  virtual void Trim() = 0;

  struct Usage {
    size_t entries = 0;
    size_t bytes = 0;      // payloads, entries and index
    size_t audiences = 0;  // index keys remembered
    uint64_t evicted = 0;  // entries dropped by a bound since the start
  };
  virtual Usage usage() const = 0;  // Any thread.

  // OK, or why appends would fail now (readiness). Any thread.
  virtual absl::Status Health() const = 0;
};

}  // namespace msab

#endif  // MSAB_LOG_EVENT_LOG_H_
