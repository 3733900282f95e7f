#include "tests/e2e/harness/door.h"

#include <ostream>

#include "tests/e2e/harness/grpc_door.h"
#include "tests/e2e/harness/twin_door.h"

namespace msab::e2e {

void PrintTo(const Answer& answer, std::ostream* os) {
  *os << "code " << answer.code << " \"" << answer.message << "\" http " << answer.http_status
      << " event_id " << answer.event_id << " cursor " << answer.cursor << " duplicate "
      << answer.duplicate << " superseded " << answer.superseded << " expired " << answer.expired
      << " targeted " << answer.users_targeted << " online " << answer.users_online
      << " connections " << answer.connections;
  for (const auto& [field, description] : answer.violations) {
    *os << "\n  " << field << ": " << description;
  }
}

std::unique_ptr<Door> OpenDoor(DoorKind kind, const RelayProcess& relay, const std::string& key) {
  if (kind == DoorKind::kGrpc) return std::make_unique<GrpcDoor>(relay.grpc_address(), key);
  return std::make_unique<TwinDoor>(relay, key);
}

std::string DoorName(DoorKind kind) { return kind == DoorKind::kGrpc ? "Grpc" : "Twin"; }

}  // namespace msab::e2e
