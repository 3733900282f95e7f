#ifndef MSAB_TESTS_SUPPORT_DIRECT_INTAKE_H_
#define MSAB_TESTS_SUPPORT_DIRECT_INTAKE_H_

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "msab/v1/event_service.pb.h"
#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/dispatch/dispatcher.h"
#include "server/dispatch/event_intake.h"

namespace msab::test {

// The Emitter as rooms see it, without ingress: every event id goes in once. Any thread.
class DirectIntake final : public EventIntake {
 public:
  DirectIntake(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher)
      : catalog_(catalog), clock_(clock), dispatcher_(dispatcher) {}

  void Take(const v1::EmitEventRequest& request,
            absl::AnyInvocable<void(absl::Status)> done) override {
    {
      absl::MutexLock lock(&mu_);
      if (!ids_.insert(request.event_id()).second) return done(absl::OkStatus());
    }
    const Catalog::Prepared prepared = catalog_.Prepare(request, clock_.WallMillis());
    ASSERT_NE(prepared.entry, nullptr) << "the contract allows it";
    dispatcher_.Dispatch(prepared.entry, [done = std::move(done)](
                                             const absl::StatusOr<Dispatched>& outcome) mutable {
      done(outcome.status());
    });
  }

 private:
  const Catalog& catalog_;
  const Clock& clock_;
  Dispatcher& dispatcher_;
  absl::Mutex mu_;
  std::set<std::string> ids_ ABSL_GUARDED_BY(mu_);
};

}  // namespace msab::test

#endif  // MSAB_TESTS_SUPPORT_DIRECT_INTAKE_H_
