#ifndef MSAB_LOG_MEMORY_RESUME_STORE_H_
#define MSAB_LOG_MEMORY_RESUME_STORE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/log/resume_store.h"

namespace msab {

// The sessions of a single node, in memory like its log. Claims complete at once.
//
// Two lists hold the records: those that are held, and those released, in the order of that. A
// record costs some 250 bytes, its rooms what their names need.
//
// Owned by the composition root. Any thread: one lock, under which nothing is called.
class MemoryResumeStore final : public ResumeStore {
 public:
  struct Options {
    size_t max_records = 250'000;
    size_t max_bytes = size_t{128} << 20;
    int64_t max_age_ms = 15 * 60 * 1000;  // from the release
  };

  MemoryResumeStore(Options options, const Clock& clock);
  ~MemoryResumeStore() override;

  Term Put(ResumeRecord record) override;
  void Claim(std::string_view id, UserId user,
             absl::AnyInvocable<void(std::optional<Claimed>)> done) override;
  void Confirm(std::string_view id, Term term, uint64_t sequence) override;
  void EnterRoom(std::string_view id, Term term, const std::string& room, uint64_t since) override;
  void ExitRoom(std::string_view id, Term term, std::string_view room) override;
  void Release(std::string_view id, Term term) override;
  void Delete(std::string_view id, Term term) override;
  void Trim() override;
  Usage usage() const override;

 private:
  struct Kept {
    ResumeRecord record;
    Term term = 1;
    int64_t released_at = kHeld;  // steady ms
    size_t bytes = 0;             // as counted
  };
  static constexpr int64_t kHeld = -1;
  using Records = std::list<Kept>;

  // Records are found by the id they hold.
  struct ById {
    using is_transparent = void;
    static std::string_view Id(std::string_view id) { return id; }
    static std::string_view Id(Records::const_iterator kept) { return kept->record.id; }
  };
  struct IdHash : ById {
    size_t operator()(const auto& of) const { return absl::Hash<std::string_view>()(Id(of)); }
  };
  struct IdEq : ById {
    bool operator()(const auto& a, const auto& b) const { return Id(a) == Id(b); }
  };

  // The record, if `term` is its holder's; else null.
  Kept* FindHeld(std::string_view id, Term term) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Erase(Records& from, Records::iterator kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Counts the record's bytes anew.
  void Count(Kept& kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropOld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Drops released records until the bounds are kept, or none is left.
  void Bound() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction
  const Options options_;
  const Clock& clock_;

  mutable absl::Mutex mu_;
  Records held_ ABSL_GUARDED_BY(mu_);
  Records released_ ABSL_GUARDED_BY(mu_);  // the longest released first
  absl::flat_hash_set<Records::iterator, IdHash, IdEq> by_id_ ABSL_GUARDED_BY(mu_);
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t evicted_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t refused_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace msab

#endif  // MSAB_LOG_MEMORY_RESUME_STORE_H_
