#ifndef MSAB_TESTS_SUPPORT_ENTRIES_H_
#define MSAB_TESTS_SUPPORT_ENTRIES_H_

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/contract/entry.h"
#include "server/contract/event_type.h"
#include "server/registry/registry.h"

namespace msab::test {

// One type of each delivery class, for every audience.
inline const EventType& TypeOf(DeliveryClass delivery) {
  static const auto make = [](const char* name, uint32_t index, DeliveryClass of) {
    EventType type;
    type.name = name;
    type.index = index;
    type.delivery = of;
    type.to_user = type.to_room = type.to_everyone = true;
    return type;
  };
  static const EventType durable = make("test.durable", 0, DeliveryClass::kDurable);
  static const EventType latest = make("test.latest", 1, DeliveryClass::kLatest);
  static const EventType ephemeral = make("test.ephemeral", 2, DeliveryClass::kEphemeral);
  switch (delivery) {
    case DeliveryClass::kDurable:
      return durable;
    case DeliveryClass::kLatest:
      return latest;
    case DeliveryClass::kEphemeral:
      return ephemeral;
  }
  return durable;
}

inline std::shared_ptr<Entry> Event(DeliveryClass delivery, Target target,
                                    std::string payload = "{}") {
  auto entry = std::make_shared<Entry>();
  entry->type = &TypeOf(delivery);
  entry->name = entry->type->name;
  entry->target = std::move(target);
  entry->payload = std::move(payload);
  entry->event_id = "3f0c6d1e-0000-7000-8000-000000000000";
  return entry;
}

inline std::shared_ptr<Entry> Durable(Target target, std::string payload = "{}") {
  return Event(DeliveryClass::kDurable, std::move(target), std::move(payload));
}

inline std::shared_ptr<Entry> Ephemeral(Target target, std::string payload = "{}") {
  return Event(DeliveryClass::kEphemeral, std::move(target), std::move(payload));
}

// A state of `fields`, true since `occurred_at`.
inline std::shared_ptr<Entry> Latest(Target target, int64_t occurred_at,
                                     std::vector<uint64_t> fields = {1},
                                     std::string_view name = "test.latest") {
  auto entry = Event(DeliveryClass::kLatest, std::move(target));
  entry->name = name;
  entry->occurred_at = occurred_at;
  entry->occurred_at_given = true;
  std::sort(fields.begin(), fields.end());
  entry->fields.assign(fields.begin(), fields.end());
  return entry;
}

// Rooms that a connection is let into as what it is everywhere.
inline std::vector<AllowedRoom> Allowed(const std::vector<std::string>& rooms) {
  std::vector<AllowedRoom> allowed;
  for (const std::string& room : rooms) allowed.push_back({room});
  return allowed;
}

}  // namespace msab::test

#endif  // MSAB_TESTS_SUPPORT_ENTRIES_H_
