#ifndef MSAB_LOG_RESUME_STORE_H_
#define MSAB_LOG_RESUME_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "server/contract/audience.h"

namespace msab {

// What is remembered of a session, so that a client that lost its connection goes on as the same
// one: who it was, where it was, and how far it is known to have read. Numbers are the log's.
struct ResumeRecord {
  struct Room {
    std::string name;
    uint64_t since = 0;  // the join's cursor: nothing before it is the session's

    friend bool operator==(const Room&, const Room&) = default;
  };

  std::string id;             // the client's secret, and the key
  std::string connection_id;  // stays the same
  UserId user = 0;
  uint64_t start = 0;      // where the session began: no earlier number can be its own
  uint64_t confirmed = 0;  // the client has seen everything up to here
  std::vector<Room> rooms;

  friend bool operator==(const ResumeRecord&, const ResumeRecord&) = default;
};

// Sessions that a client may come back to. A store belongs to a log and lives as long: its numbers
// mean nothing to another, and where the log is new, it is empty.
//
// A record has one holder, the session that made it or claimed it last, known by its term: terms of
// a record only grow. A holder that was replaced, whose connection may be half-open and time out
// much later, changes nothing any more: what it says under its old term is not heard.
//
// While held a record does not age. Once released (the connection was lost) it is kept for a time;
// bounded in number and bytes, the one longest released goes first. Where all are held and a bound
// is reached, the one that would go beyond is not kept, and its session can't be recovered.
//
// Any thread. The calls that change a record take effect in the caller's order.
class ResumeStore {
 public:
  using Term = uint64_t;  // from 1; 0: nothing is held

  struct Claimed {
    Term term = 0;
    ResumeRecord record;
  };

  virtual ~ResumeStore() = default;

  // Keeps a new record, held by the caller. 0: there is no room for it, or its id is known already.
  virtual Term Put(ResumeRecord record) = 0;

  // Makes the caller the holder of a record, if there is one of this user's under `id`. `done` runs
  // once: on this thread before Claim returns, or on another later.
  virtual void Claim(std::string_view id, UserId user,
                     absl::AnyInvocable<void(std::optional<Claimed>)> done) = 0;

  // The client has seen everything up to `sequence`; a smaller number than before changes nothing.
  virtual void Confirm(std::string_view id, Term term, uint64_t sequence) = 0;

  // The session joined a room at `since`, or left one. A join into a room that it is in already
  // changes nothing: what it has yet to read begins with the first.
  virtual void EnterRoom(std::string_view id, Term term, const std::string& room,
                         uint64_t since) = 0;
  virtual void ExitRoom(std::string_view id, Term term, std::string_view room) = 0;

  // The connection is lost: from now on the record ages.
  virtual void Release(std::string_view id, Term term) = 0;

  // Nobody will come back to it.
  virtual void Delete(std::string_view id, Term term) = 0;

  // Drops what was released too long ago. Called now and then (about once a second).
  virtual void Trim() = 0;

  struct Usage {
    size_t held = 0;
    size_t released = 0;
    size_t bytes = 0;
    uint64_t evicted = 0;  // records dropped by number or bytes before their time
    uint64_t refused = 0;  // sessions for whose record there was no room
  };
  virtual Usage usage() const = 0;
};

}  // namespace msab

#endif  // MSAB_LOG_RESUME_STORE_H_
