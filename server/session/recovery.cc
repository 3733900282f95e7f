#include "server/session/recovery.h"

#include <utility>

#include "server/base/ids.h"

namespace msab {

std::string NewResumeId() { return NewConnectionId(); }

Recovery::Recovery(ResumeStore& store, ResumeRecord record) : store_(store), id_(record.id) {
  term_ = store_.Put(std::move(record));
}

Recovery::Recovery(ResumeStore& store, std::string id, ResumeStore::Term term)
    : store_(store), id_(std::move(id)), term_(term) {}

Recovery::~Recovery() {
  if (term_ != 0) store_.Release(id_, term_);
}

void Recovery::EnterRoom(const std::string& room, uint64_t since) {
  if (term_ != 0) store_.EnterRoom(id_, term_, room, since);
}

void Recovery::ExitRoom(std::string_view room) {
  if (term_ != 0) store_.ExitRoom(id_, term_, room);
}

void Recovery::Confirm(uint64_t sequence) {
  if (term_ != 0) store_.Confirm(id_, term_, sequence);
}

void Recovery::Forget() {
  if (term_ != 0) store_.Delete(id_, std::exchange(term_, 0));
}

}  // namespace msab
