#ifndef MSAB_DISPATCH_EVENT_INTAKE_H_
#define MSAB_DISPATCH_EVENT_INTAKE_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace msab {

namespace v1 {
class EmitEventRequest;
}  // namespace v1

// The way in for an event that the relay makes in the application's name, and that the application
// may emit itself as well: under one event id it is shown once, whoever came first. Declared here
// so that rooms know no ingress; the Emitter implements it. Any thread.
class EventIntake {
 public:
  virtual ~EventIntake() = default;

  // `request` has an event id, and is read before Take returns. `done` runs once, on this thread
  // before Take returns or on the log's: OK also where the event was there already, else as the
  // Dispatcher has it.
  virtual void Take(const v1::EmitEventRequest& request,
                    absl::AnyInvocable<void(absl::Status)> done) = 0;
};

}  // namespace msab

#endif  // MSAB_DISPATCH_EVENT_INTAKE_H_
