#ifndef MSAB_TESTS_E2E_SAMPLES_H_
#define MSAB_TESTS_E2E_SAMPLES_H_

#include <ostream>
#include <string>
#include <vector>

namespace msab::e2e {

// Whom a sample is for: user 101, room "42", or everyone.
enum class For { kUser, kRoom, kEveryone };

// One emit of one event of the contract, and the data that clients must get for it, both written
// down by hand from the requirement.
struct Sample {
  std::string title;  // for gtest: "BalanceUpdatedFull"
  std::string event;  // on the wire
  For audience;
  std::string request;  // EmitEventRequest
  std::string data;     // what clients get
  bool ephemeral = false;
};

inline std::ostream& operator<<(std::ostream& os, const Sample& sample) {
  return os << sample.title;
}

// Every one of the 19 events, with all fields and with as few as it allows.
const std::vector<Sample>& Samples();

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_SAMPLES_H_
