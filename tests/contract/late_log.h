#ifndef MSAB_TESTS_CONTRACT_LATE_LOG_H_
#define MSAB_TESTS_CONTRACT_LATE_LOG_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/log/event_log.h"
#include "server/log/memory_log.h"

namespace msab::test {

// A MemoryLog whose appends complete when the test says so, or on a thread of its own, as those of
// a log across the network do. It numbers at completion, in whatever order the test completes.
class LateLog final : public EventLog {
 public:
  LateLog(MemoryLog::Options options, const Clock& clock, std::string epoch = NewEpoch())
      : inner_(options, clock, std::move(epoch)) {}
  ~LateLog() override { StopThread(); }

  void SetListener(Listener* listener) override { listener_ = listener; }
  std::optional<absl::StatusOr<Appended>> Append(std::shared_ptr<Entry> entry) override {
    absl::MutexLock lock(&mu_);
    pending_.push_back(std::move(entry));
    return std::nullopt;
  }
  uint64_t Head() const override { return inner_.Head(); }
  const std::string& epoch() const override { return inner_.epoch(); }
  LogPage Read(absl::Span<const AudienceFrom> audiences, uint64_t upto,
               size_t limit) const override {
    return inner_.Read(audiences, upto, limit);
  }
  LogCount Count(absl::Span<const AudienceFrom> audiences, uint64_t upto) const override {
    return inner_.Count(audiences, upto);
  }
  bool Covers(absl::Span<const AudienceFrom> audiences) const override {
    return inner_.Covers(audiences);
  }
  void Trim() override { inner_.Trim(); }
  Usage usage() const override { return inner_.usage(); }
  absl::Status Health() const override { return inner_.Health(); }

  // The test's side

  size_t pending() const {
    absl::MutexLock lock(&mu_);
    return pending_.size();
  }

  // Completes the append begun first, or last; false if there is none.
  bool CompleteFirst() { return Complete(Take(/*first=*/true)); }
  bool CompleteLast() { return Complete(Take(/*first=*/false)); }
  void CompleteAll() {
    while (CompleteFirst()) {
    }
  }

  // Refuses the append begun first.
  void Refuse(absl::Status why) { listener_->OnAppended(Take(/*first=*/true), std::move(why)); }

  // From here on appends complete by themselves.
  void StartThread() {
    thread_ = std::thread([this] {
      while (true) {
        {
          absl::MutexLock lock(&mu_);
          mu_.Await(absl::Condition(this, &LateLog::Due));
          if (stopping_ && pending_.empty()) return;
        }
        CompleteFirst();
      }
    });
  }
  // Returns when all appends are complete.
  void StopThread() {
    if (!thread_.joinable()) return;
    {
      absl::MutexLock lock(&mu_);
      stopping_ = true;
    }
    thread_.join();
  }

 private:
  bool Due() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return stopping_ || !pending_.empty(); }

  std::shared_ptr<Entry> Take(bool first) {
    absl::MutexLock lock(&mu_);
    if (pending_.empty()) return nullptr;
    std::shared_ptr<Entry> entry = std::move(first ? pending_.front() : pending_.back());
    first ? pending_.pop_front() : pending_.pop_back();
    return entry;
  }

  bool Complete(std::shared_ptr<Entry> entry) {
    if (entry == nullptr) return false;
    absl::StatusOr<Appended> outcome = *inner_.Append(entry);
    listener_->OnAppended(std::move(entry), std::move(outcome));
    return true;
  }

  MemoryLog inner_;
  Listener* listener_ = nullptr;
  std::thread thread_;
  mutable absl::Mutex mu_;
  std::deque<std::shared_ptr<Entry>> pending_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_CONTRACT_LATE_LOG_H_
