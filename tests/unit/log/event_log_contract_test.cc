#include "server/log/memory_log.h"
#include "tests/contract/event_log_state_suite.h"
#include "tests/contract/event_log_suite.h"
#include "tests/contract/late_log.h"

namespace msab::test {
namespace {

MemoryLog::Options OptionsOf(const LogLimits& limits) {
  MemoryLog::Options options;
  options.max_events = limits.max_events;
  options.max_bytes = limits.max_bytes;
  options.max_age_ms = limits.max_age_ms;
  options.max_per_audience = limits.max_per_audience;
  return options;
}

class MemoryLogHarness {
 public:
  MemoryLogHarness(const LogLimits& limits, const Clock& clock) : log_(OptionsOf(limits), clock) {}
  EventLog& log() { return log_; }
  void Settle() {}

 private:
  MemoryLog log_;
};

class LateLogHarness {
 public:
  LateLogHarness(const LogLimits& limits, const Clock& clock) : log_(OptionsOf(limits), clock) {}
  EventLog& log() { return log_; }
  void Settle() { log_.CompleteAll(); }

 private:
  LateLog log_;
};

using Harnesses = ::testing::Types<MemoryLogHarness, LateLogHarness>;
INSTANTIATE_TYPED_TEST_SUITE_P(Logs, EventLogSuite, Harnesses);
INSTANTIATE_TYPED_TEST_SUITE_P(Logs, EventLogStateSuite, Harnesses);

}  // namespace
}  // namespace msab::test
