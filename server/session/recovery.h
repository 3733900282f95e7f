#ifndef MSAB_SESSION_RECOVERY_H_
#define MSAB_SESSION_RECOVERY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "server/log/resume_store.h"

namespace msab {

// A session's hold on its record in the ResumeStore, for dialects that recover. Released when
// destroyed, so that whatever ends the session leaves a record that ages.
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
  // The client has seen everything up to `sequence`.
  void Confirm(uint64_t sequence);

  // Nobody is to come back to it.
  void Forget();

 private:
  // Constant after construction
  ResumeStore& store_;
  const std::string id_;

  // Shard thread only
  ResumeStore::Term term_;
};

// An id for a record: what NewConnectionId gives, which nobody guesses.
std::string NewResumeId();

}  // namespace msab

#endif  // MSAB_SESSION_RECOVERY_H_
