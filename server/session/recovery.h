#ifndef MSAB_SESSION_RECOVERY_H_
#define MSAB_SESSION_RECOVERY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/log/resume_store.h"

namespace msab {

// A session's hold on its record in the ResumeStore, for dialects that recover. Released when
// destroyed, so that whatever ends the session leaves a record that ages.
//
// The client confirms what it has read by answering heartbeats: they stand in the one order of
// frames, so the answer to one says that all before it has arrived.
//
// Owned by a session, as long as it is let in. Shard thread only.
class Recovery {
 public:
  // A new record under a fresh id. There may be no room for it: it then just isn't found later.
  Recovery(ResumeStore& store, ResumeRecord record);
  // One that was claimed.
  Recovery(ResumeStore& store, std::string id, ResumeStore::Term term);
  ~Recovery();
  Recovery(const Recovery&) = delete;
  Recovery& operator=(const Recovery&) = delete;

  const std::string& id() const { return id_; }
  ResumeStore::Term term() const { return term_; }

  void EnterRoom(const std::string& room, uint64_t since);
  void ExitRoom(std::string_view room);
  void Confirm(uint64_t sequence);

  // A heartbeat goes out behind everything numbered up to `sequence`; one was answered.
  void OnHeartbeat(uint64_t sequence);
  void OnPong();

  // Nobody is to come back to it.
  void Forget();

 private:
  // Constant after construction
  ResumeStore& store_;
  const std::string id_;

  // Shard thread only
  ResumeStore::Term term_;
  uint32_t unanswered_ = 0;   // heartbeats
  uint32_t until_probe_ = 0;  // answers until the probe's own; 0: none is out
  uint64_t probe_ = 0;        // what the answer to the probe confirms
};

// An id for a record: what NewConnectionId gives, which nobody guesses.
std::string NewResumeId();

}  // namespace msab

#endif  // MSAB_SESSION_RECOVERY_H_
