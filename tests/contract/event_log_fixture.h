#ifndef MSAB_TESTS_CONTRACT_EVENT_LOG_FIXTURE_H_
#define MSAB_TESTS_CONTRACT_EVENT_LOG_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/log/event_log.h"
#include "tests/support/entries.h"

namespace msab::test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The bounds that a log under test is opened with.
struct LogLimits {
  size_t max_events = 1'000'000;
  size_t max_bytes = size_t{64} << 20;
  int64_t max_age_ms = 3'600'000;
  size_t max_per_audience = 1'000'000;
};

// An EventLog under test, and what the contract suites ask of it. `Harness` opens the log:
//   Harness(const LogLimits&, const Clock&)   a fresh log
//   EventLog& log()
//   void Settle()                             every append begun is complete on return
template <typename Harness>
class EventLogFixture : public ::testing::Test, protected EventLog::Listener {
 protected:
  static constexpr uint64_t kEnd = std::numeric_limits<int64_t>::max();

  void Open(const LogLimits& limits = {}) {
    harness_.emplace(limits, clock_);
    log().SetListener(this);
  }
  EventLog& log() { return harness_->log(); }

  // Appends and waits for the outcome.
  absl::StatusOr<Appended> Append(std::shared_ptr<Entry> entry) {
    const Entry* const key = entry.get();
    std::optional<absl::StatusOr<Appended>> outcome = log().Append(std::move(entry));
    if (outcome.has_value()) return *outcome;
    harness_->Settle();
    absl::MutexLock lock(&mu_);
    const auto it = late_.find(key);
    if (it == late_.end()) return absl::InternalError("no outcome after Settle");
    absl::StatusOr<Appended> late = std::move(it->second);
    late_.erase(it);
    return late;
  }

  // The same for one that must be kept: its number.
  uint64_t Keep(std::shared_ptr<Entry> entry) {
    const absl::StatusOr<Appended> appended = Append(std::move(entry));
    EXPECT_TRUE(appended.ok()) << appended.status();
    if (!appended.ok()) return 0;
    EXPECT_FALSE(appended->superseded);
    return appended->sequence;
  }

  LogPage Read(std::vector<AudienceFrom> audiences, uint64_t upto = kEnd, size_t limit = 100'000) {
    return log().Read(audiences, upto, limit);
  }

  static std::vector<uint64_t> Numbers(const std::vector<EntryPtr>& entries) {
    std::vector<uint64_t> numbers;
    for (const EntryPtr& entry : entries) numbers.push_back(entry->sequence);
    return numbers;
  }
  // What these audiences got, which must be all there.
  std::vector<uint64_t> Got(std::vector<AudienceFrom> audiences, uint64_t upto = kEnd) {
    const LogPage page = Read(std::move(audiences), upto);
    EXPECT_FALSE(page.gap);
    return Numbers(page.entries);
  }
  bool Gap(std::vector<AudienceFrom> audiences) {
    const LogPage page = Read(audiences);
    EXPECT_EQ(page.gap, !log().Covers(audiences));
    EXPECT_TRUE(!page.gap || page.entries.empty());
    return page.gap;
  }

  static AudienceFrom User(UserId user, uint64_t after = 0) {
    return {AudienceKey::User(user), after};
  }
  static AudienceFrom Room(std::string room, uint64_t after = 0) {
    return {AudienceKey::Room(std::move(room)), after};
  }
  static AudienceFrom Everyone(uint64_t after = 0) { return {AudienceKey::Everyone(), after}; }

  ManualClock clock_;

 private:
  void OnAppended(std::shared_ptr<Entry> entry, absl::StatusOr<Appended> outcome) override {
    absl::MutexLock lock(&mu_);
    late_.insert_or_assign(entry.get(), std::move(outcome));
  }

  absl::Mutex mu_;
  absl::flat_hash_map<const Entry*, absl::StatusOr<Appended>> late_;
  std::optional<Harness> harness_;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_CONTRACT_EVENT_LOG_FIXTURE_H_
