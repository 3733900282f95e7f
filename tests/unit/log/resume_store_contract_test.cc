#include "server/log/memory_resume_store.h"
#include "tests/contract/resume_store_suite.h"

namespace msab::test {
namespace {

class MemoryResumeStoreHarness {
 public:
  MemoryResumeStoreHarness(const ResumeLimits& limits, const Clock& clock)
      : store_({limits.max_records, limits.max_bytes, limits.max_age_ms}, clock) {}
  ResumeStore& store() { return store_; }
  void Settle() {}

 private:
  MemoryResumeStore store_;
};

using Harnesses = ::testing::Types<MemoryResumeStoreHarness>;
INSTANTIATE_TYPED_TEST_SUITE_P(Stores, ResumeStoreSuite, Harnesses);

}  // namespace
}  // namespace msab::test
