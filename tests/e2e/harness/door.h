#ifndef MSAB_TESTS_E2E_HARNESS_DOOR_H_
#define MSAB_TESTS_E2E_HARNESS_DOOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/harness/http.h"
#include "tests/e2e/harness/json.h"
#include "tests/e2e/harness/relay_process.h"

namespace msab::e2e {

// Canonical gRPC status codes, so that tests need no gRPC header.
enum Code : int {
  kOk = 0,
  kInvalidArgument = 3,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// What an emit (or one item of several) was answered.
struct Answer {
  int code = kOk;
  std::string message;
  std::map<std::string, std::string> violations;  // of BadRequest: field → description
  std::optional<int64_t> retry_ms;                // of RetryInfo

  int http_status = 0;  // the twin's only
  Headers headers;      // the twin's only

  std::string event_id;
  std::string cursor;
  bool duplicate = false;
  bool superseded = false;
  bool expired = false;
  int64_t users_targeted = 0;
  int64_t users_online = 0;
  int64_t connections = 0;

  bool ok() const { return code == kOk; }
};

// How gtest prints one.
void PrintTo(const Answer& answer, std::ostream* os);

// A way to hand events in. Both ways take the JSON form of EmitEventRequest and must behave alike.
// One thread.
class Door {
 public:
  virtual ~Door() = default;
  virtual Answer Emit(const std::string& request) = 0;
  // An answer per event; a refusal of the whole call is one answer.
  virtual std::vector<Answer> EmitBatch(const std::vector<std::string>& requests) = 0;
  virtual Answer GetCursor() = 0;
};

enum class DoorKind { kGrpc, kTwin };
std::unique_ptr<Door> OpenDoor(DoorKind kind, const RelayProcess& relay,
                               const std::string& key = kApiKey);

// For gtest's names of parameterised tests.
std::string DoorName(DoorKind kind);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_DOOR_H_
