#ifndef MSAB_SESSION_SESSION_HOST_H_
#define MSAB_SESSION_SESSION_HOST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/base/timer_node.h"
#include "server/base/token_bucket.h"
#include "server/contract/cursor.h"
#include "server/contract/entry.h"
#include "server/dispatch/command_handler.h"
#include "server/log/event_log.h"
#include "server/log/resume_store.h"
#include "server/protocol/frame.h"
#include "server/registry/registry.h"
#include "server/session/counters.h"
#include "server/session/token_verifier.h"

namespace msab {

class Dialect;
class Session;

// The settings that a session goes by (contract page, section 10).
struct SessionOptions {
  size_t high_water = 1 << 20;  // bytes waiting in an outbox; above it the consumer is slow
  int64_t ping_interval = 25'000;
  int64_t ping_timeout = 60'000;
  int64_t auth_timeout = 5'000;
  int64_t close_timeout = 5'000;  // from the close frame to the abort
  Rate client_messages = Rate::PerSecond(100, 20);
  size_t max_message_bytes = 16 * 1024;
};

// The house as a session sees it: its shard. Shard thread only.
class SessionHost {
 public:
  virtual ~SessionHost() = default;

  virtual const SessionOptions& options() const = 0;
  virtual const TokenVerifier& tokens() const = 0;
  virtual CommandHandler& commands() = 0;
  virtual ShardCounters& counters() = 0;
  virtual int index() const = 0;
  virtual const std::string& epoch() const = 0;

  virtual int64_t NowSteady() const = 0;
  virtual int64_t NowWall() const = 0;
  virtual void Schedule(TimerNode& node, int64_t deadline) = 0;

  // Runs `task` on this shard's thread, at its place in the inbox. Any thread.
  virtual void Post(absl::AnyInvocable<void()> task) = 0;

  // Registers the session with the Dispatcher and takes it in: what is numbered from `head` on
  // reaches its Deliver.
  virtual absl::StatusOr<uint64_t> Admit(Session& session, ConnectionInfo connection,
                                         const std::vector<AllowedRoom>& rooms) = 0;
  // The opposite, for whatever reason. `leaving`: the client said goodbye, so its user is out of
  // the rooms at once.
  virtual void Dismiss(Session& session, bool leaving) = 0;

  // Ends, without a word, the session of `user` that holds `connection_id`, on whichever shard it
  // is, unless its hold on the record (ResumeStore) is later than `term`. Then `done` runs on this
  // shard's thread, at a place in the inbox: true: nobody holds the id any more; false: a later
  // session does.
  virtual void Supersede(const std::string& connection_id, UserId user, ResumeStore::Term term,
                         absl::AnyInvocable<void(bool)> done) = 0;

  // The session's part in a room's deliveries on this shard.
  virtual void EnterRoom(Session& session, const std::string& room) = 0;
  virtual void ExitRoom(Session& session, std::string_view room) = 0;

  // Everything numbered up to here that this shard's sessions are to get has been handled.
  virtual uint64_t settled() const = 0;

  // Where sessions of dialects that recover are kept.
  virtual ResumeStore& resumes() = 0;

  // Reads history, and the frames of it: one frame serves all sessions that replay it.
  virtual const EventLog& log() const = 0;
  virtual FramePtr ReplayFrame(const Dialect& dialect, const EntryPtr& entry) = 0;

  // The session's outbox went over the high-water mark while the shard was handing out an entry:
  // call its Relieve once that is over.
  virtual void MarkFull(Session& session) = 0;
};

}  // namespace msab

#endif  // MSAB_SESSION_SESSION_HOST_H_
