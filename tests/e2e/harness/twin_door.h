#ifndef MSAB_TESTS_E2E_HARNESS_TWIN_DOOR_H_
#define MSAB_TESTS_E2E_HARNESS_TWIN_DOOR_H_

#include <string>
#include <vector>

#include "tests/e2e/harness/door.h"

namespace msab::e2e {

// The JSON twin of EventService on the internal port. `relay` outlives it.
class TwinDoor : public Door {
 public:
  // `key` empty: no Authorization is sent.
  explicit TwinDoor(const RelayProcess& relay, std::string key = kApiKey);

  Answer Emit(const std::string& request) override;
  std::vector<Answer> EmitBatch(const std::vector<std::string>& requests) override;
  Answer GetCursor() override;

  // The plain exchange.
  HttpResponse Post(const std::string& target, const std::string& body);
  HttpResponse Get(const std::string& target);

 private:
  Headers Authorization() const;

  const RelayProcess& relay_;
  const std::string key_;
};

// An answer from what the twin said: a google.rpc.Status for an error, else the response.
Answer FromTwin(const HttpResponse& response);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_TWIN_DOOR_H_
