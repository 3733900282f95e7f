#ifndef MSAB_RELAY_H_
#define MSAB_RELAY_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config.h"

namespace msab {

// The composition root: makes every part of the house, hands each what it needs, and knows the
// order of start and drain. Belongs to the main thread.
//
// Start: contract, log, dispatcher, commands, shards, public door, internal port, gRPC. Nothing is
// reachable before all it leans on is there.
// Drain: readiness says 503; emits are refused and streams ended; new upgrades get 503; commands
// that the application is asked about are answered, given a quarter of drain.timeout at most;
// clients are asked to come back, spread over half of it; what waits is sent; then the end.
class Relay {
 public:
  // Everything listens when it returns. A failure names setting and fault.
  static absl::StatusOr<std::unique_ptr<Relay>> Start(const Config& config);
  ~Relay();

  // The house's chores: departures past their grace, history past its age, the next step of a
  // drain. Several times a second.
  void Housekeep();

  void BeginDrain();

  // True once no connection is left.
  bool Drained() const;

  // Ends all threads; what is still connected is cut.
  void Stop();

 private:
  struct House;
  void ContinueDrain();
  explicit Relay(std::unique_ptr<House> house);
  std::unique_ptr<House> house_;
};

}  // namespace msab

#endif  // MSAB_RELAY_H_
