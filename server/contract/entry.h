#ifndef MSAB_CONTRACT_ENTRY_H_
#define MSAB_CONTRACT_ENTRY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "server/contract/audience.h"
#include "server/contract/event_type.h"

namespace msab {

// An event on its way through the house: validated, encoded, addressed, and, once the log took it,
// numbered. Built by the Catalog on a caller's thread; the Dispatcher settles `occurred_at`, and
// the log sets the last group of members, exactly once, before any shard sees the entry; from then
// on it is immutable and shared (std::shared_ptr<const Entry>) by the log and every shard.
struct Entry {
  // Constant after construction
  const EventType* type = nullptr;
  std::string name;  // the wire name (differs from type->name where that is a pattern)
  Target target;
  std::string payload;             // one JSON object, UTF-8, at most 64 KiB
  int64_t occurred_at = 0;         // ms since 1970; the emitter's, else when it was accepted
  bool occurred_at_given = false;  // only then the wire shows it
  int64_t expires_at = 0;          // ms since 1970, from ttl; 0: never
  std::string event_id;            // the caller's or minted
  std::string except_connection;   // this connection doesn't get it; empty: none
  UserId except_user = 0;          // no connection of this user gets it; 0: none
  // LATEST only: the payload's top-level keys present (but for those that always are), hashed,
  // ascending. An entry replaces an older one only where it carries at least the same.
  absl::InlinedVector<uint64_t, 4> fields;

  // Set by the log
  uint64_t sequence = 0;  // 0: not numbered (EPHEMERAL)
  // Recipients for whom a LATEST entry had been replaced before it arrived: they don't get it. In
  // the target's order; empty but for the rare multi-recipient LATEST event.
  std::vector<AudienceKey> superseded_for;

  bool ExpiredAt(int64_t wall_millis) const { return expires_at != 0 && wall_millis >= expires_at; }
  bool Carries(const Entry& older) const;  // LATEST: every field of `older` is in `fields`
};

using EntryPtr = std::shared_ptr<const Entry>;

// True if LATEST entry `newer`, accepted after `older` for the same recipient, replaces it: same
// event name, `occurred_at` not earlier, and it carries at least the same fields.
bool Replaces(const Entry& newer, const Entry& older);

// True if LATEST entry `newer`, accepted after `kept`, is already outdated: `kept` has a later
// `occurred_at` and carries at least the same fields.
bool OutdatedBy(const Entry& newer, const Entry& kept);

}  // namespace msab

#endif  // MSAB_CONTRACT_ENTRY_H_
