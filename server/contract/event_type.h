#ifndef MSAB_CONTRACT_EVENT_TYPE_H_
#define MSAB_CONTRACT_EVENT_TYPE_H_

#include <cstdint>
#include <string>

namespace google::protobuf {
class Descriptor;
}  // namespace google::protobuf

namespace msab {

// How hard the relay holds on to an event (design record "delivery classes").
enum class DeliveryClass : uint8_t {
  kDurable,    // kept for replay; a consumer too slow for it is closed and resumes
  kLatest,     // state: a later one replaces an earlier one for the same recipient
  kEphemeral,  // never kept, no cursor, dropped first
};

// One event of the contract, declared in proto/ or by the configuration's [[custom_events]].
// Owned by the Catalog, immutable, alive as long as the process; compared by address. Any thread.
struct EventType {
  std::string name;    // on the wire: "balance.updated"; a custom pattern keeps its '*'
  uint32_t index = 0;  // dense, 0 …; for per-event counters
  DeliveryClass delivery = DeliveryClass::kDurable;
  bool to_user = false;  // declared audiences: one or more
  bool to_room = false;
  bool to_everyone = false;
  bool custom = false;
  const google::protobuf::Descriptor* payload = nullptr;  // null for custom events
};

}  // namespace msab

#endif  // MSAB_CONTRACT_EVENT_TYPE_H_
