#include "server/contract/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "msab/v1/client.pb.h"
#include "msab/v1/event_service.pb.h"
#include "msab/v1/options.pb.h"
#include "server/base/ids.h"
#include "server/contract/addressing.h"
#include "server/contract/asyncapi.h"
#include "server/contract/custom_events.h"
#include "server/contract/message_plan.h"
#include "server/contract/payload_sink.h"
#include "server/contract/struct_json.h"

namespace msab {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kMaxEventIdBytes = 128;
constexpr size_t kMaxConnectionIdBytes = 128;
constexpr size_t kMaxNameBytes = 128;

absl::Status Refuse(const Descriptor& message, std::string_view fault) {
  return absl::FailedPreconditionError(fmt::format("{}: {}", message.full_name(), fault));
}

[[noreturn]] void Die(std::string_view event, std::string_view fault) {
  std::fprintf(stderr, "the relay's own event %.*s breaks the contract: %.*s\n",
               static_cast<int>(event.size()), event.data(), static_cast<int>(fault.size()),
               fault.data());
  std::abort();
}

bool IsWireName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' ||
                  c == ':' || c == '-';
         });
}

absl::StatusOr<DeliveryClass> ReadDelivery(const Descriptor& message, v1::Delivery delivery) {
  switch (delivery) {
    case v1::DELIVERY_DURABLE:
      return DeliveryClass::kDurable;
    case v1::DELIVERY_LATEST:
      return DeliveryClass::kLatest;
    case v1::DELIVERY_EPHEMERAL:
      return DeliveryClass::kEphemeral;
    default:
      return Refuse(message, "its event has no delivery");
  }
}

absl::StatusOr<EventType> ReadType(const Descriptor& message) {
  if (!message.options().HasExtension(v1::event)) return Refuse(message, "declares no event");
  const v1::EventOptions& said = message.options().GetExtension(v1::event);
  EventType type;
  type.name = said.name();
  if (!IsWireName(type.name)) {
    return Refuse(message, "its event's name must be 1 to 128 letters, digits and _ . : -");
  }
  if (IsReservedName(type.name)) {
    return Refuse(message, fmt::format("the name {} is the relay's own", type.name));
  }
  auto delivery = ReadDelivery(message, said.delivery());
  if (!delivery.ok()) return delivery.status();
  type.delivery = *delivery;
  for (const int audience : said.audiences()) {
    switch (audience) {
      case v1::AUDIENCE_USER:
        type.to_user = true;
        break;
      case v1::AUDIENCE_ROOM:
        type.to_room = true;
        break;
      case v1::AUDIENCE_EVERYONE:
        type.to_everyone = true;
        break;
      default:
        return Refuse(message, "its event names an audience that there is not");
    }
  }
  if (said.audiences().empty()) return Refuse(message, "its event has no audience");
  type.payload = &message;
  return type;
}

// An event of proto/.
struct CatalogEvent {
  EventType type;
  const FieldDescriptor* field = nullptr;  // in the request's oneof
  std::unique_ptr<const MessagePlan> plan;
};

absl::StatusOr<std::unique_ptr<CatalogEvent>> ReadEvent(const FieldDescriptor& field) {
  if (field.message_type() == nullptr) {
    return absl::FailedPreconditionError(fmt::format("{}: must be a message", field.full_name()));
  }
  const Descriptor& message = *field.message_type();
  auto type = ReadType(message);
  if (!type.ok()) return type.status();
  auto event = std::make_unique<CatalogEvent>();
  event->type = *std::move(type);
  event->field = &field;
  const std::string name = absl::StrReplaceAll(event->type.name, {{".", "_"}, {":", "_"}});
  if (field.name() != name) {
    return absl::FailedPreconditionError(fmt::format("{}: must be called {}, after the event {}",
                                                     field.full_name(), name, event->type.name));
  }
  auto plan = MessagePlan::Compile(message);
  if (!plan.ok()) return plan.status();
  event->plan = *std::move(plan);
  if (const MessagePlan::Step* step = event->plan->naming(); step != nullptr) {
    const bool declared =
        step->rule.names == v1::AUDIENCE_USER ? event->type.to_user : event->type.to_room;
    if (!declared) {
      return absl::FailedPreconditionError(fmt::format(
          "{}: names an audience that its event doesn't declare", step->field->full_name()));
    }
  }
  return event;
}

// Appends the hashes of the top-level keys present that may also be absent.
void HashFields(const MessagePlan& plan, const Message& payload, Entry& entry) {
  const google::protobuf::Reflection& reflection = *payload.GetReflection();
  for (const MessagePlan::Step& step : plan.steps()) {
    const bool always = step.repeated || step.rule.required || step.rule.nullable ||
                        step.kind == MessagePlan::Kind::kSpread;
    if (!always && reflection.HasField(payload, step.field)) entry.fields.push_back(step.key_hash);
  }
  std::sort(entry.fields.begin(), entry.fields.end());
}

void HashFields(const google::protobuf::Struct& payload, Entry& entry) {
  for (const auto& [key, value] : payload.fields()) entry.fields.push_back(HashKey(key));
  std::sort(entry.fields.begin(), entry.fields.end());
}

// Whom a valid payload names. Of an invalid one nobody: its own violation says so.
NamedByPayload ReadNamed(const MessagePlan& plan, const Message& payload) {
  NamedByPayload named;
  const MessagePlan::Step* step = plan.naming();
  if (step == nullptr || !payload.GetReflection()->HasField(payload, step->field)) return named;
  const google::protobuf::Reflection& reflection = *payload.GetReflection();
  if (step->kind == MessagePlan::Kind::kString) {
    named.room = reflection.GetString(payload, step->field);
    if (step->rule.Problem(named.room)) named.room.clear();
    return named;
  }
  const int64_t id = reflection.GetInt64(payload, step->field);
  if (step->rule.Problem(id)) return named;
  if (step->rule.names == v1::AUDIENCE_USER) {
    named.user = id;
  } else {
    named.room = fmt::format("{}", id);
  }
  return named;
}

// A payload is written here first: its entry then keeps one allocation of the exact size.
std::string& Scratch() {
  thread_local std::string text;
  text.clear();
  return text;
}

void ReadOccurredAt(const v1::EmitEventRequest& request, int64_t now, Entry& entry,
                    Violations& violations) {
  entry.occurred_at = now;
  if (!request.has_occurred_at()) return;
  static constexpr int64_t kMaxSeconds = 253'402'300'799;  // 9999-12-31T23:59:59Z
  const int64_t seconds = request.occurred_at().seconds();
  const int32_t nanos = request.occurred_at().nanos();
  if (seconds < 0 || seconds > kMaxSeconds || nanos < 0 || nanos > 999'999'999) {
    violations.Add("occurred_at", "is out of range: must be a time from 1970 to 9999");
    return;
  }
  entry.occurred_at = seconds * 1000 + nanos / 1'000'000;
  entry.occurred_at_given = true;
}

void ReadTtl(const v1::EmitEventRequest& request, Entry& entry, Violations& violations) {
  if (!request.has_ttl()) return;
  static constexpr int64_t kMaxSeconds = 315'576'000'000;  // 10,000 years: a Duration's most
  const int64_t seconds = request.ttl().seconds();
  const int32_t nanos = request.ttl().nanos();
  if (seconds < 0 || seconds > kMaxSeconds || nanos < 0 || nanos > 999'999'999 ||
      (seconds == 0 && nanos == 0)) {
    violations.Add("ttl", "must be longer than 0s, and at most 10,000 years");
    return;
  }
  entry.expires_at = entry.occurred_at + seconds * 1000 + (nanos + 999'999) / 1'000'000;
}

void ReadIds(const v1::EmitEventRequest& request, Entry& entry, Violations& violations) {
  if (!request.has_event_id()) {
    entry.event_id = NewEventId();
  } else if (const size_t size = request.event_id().size(); size < 1 || size > kMaxEventIdBytes) {
    violations.Add("event_id", fmt::format("has {} bytes: must have 1 to {}, or be left out", size,
                                           kMaxEventIdBytes));
  } else {
    entry.event_id = request.event_id();
  }
  if (const size_t size = request.except_connection_id().size(); size > kMaxConnectionIdBytes) {
    violations.Add("except_connection_id",
                   fmt::format("has {} bytes: must have at most {}", size, kMaxConnectionIdBytes));
  } else {
    entry.except_connection = request.except_connection_id();
  }
}

void AddTooLarge(std::string_view field, Violations& violations) {
  violations.Add(
      std::string(field),
      fmt::format("is larger than {} KiB as JSON: must be at most that", kMaxPayloadBytes / 1024));
}

}  // namespace

struct Catalog::Impl {
  absl::Status AddEvents(const Descriptor& request);
  absl::Status AddCustom(std::vector<CustomEvent> custom);

  // The rest of Prepare, once the event is known. `entry` has its type and payload then.
  void PrepareEvent(const CatalogEvent& event, const v1::EmitEventRequest& request, Entry& entry,
                    Violations& violations) const;
  void PrepareCustom(const v1::EmitEventRequest& request, Entry& entry,
                     Violations& violations) const;

  // Constant after construction
  std::vector<std::unique_ptr<const CatalogEvent>> events;
  std::vector<std::unique_ptr<const EventType>> custom_types;
  std::vector<const EventType*> types;
  std::unordered_map<std::string_view, const CatalogEvent*> by_name;  // keys: their types' names
  absl::flat_hash_map<const Descriptor*, const CatalogEvent*> by_message;
  std::vector<const CatalogEvent*> by_number;  // the oneof field's; null where there is none
  CustomEvents custom;
  std::unique_ptr<const CommandRules> commands;
  ContractDocument document;
};

absl::Status Catalog::Impl::AddEvents(const Descriptor& request) {
  const google::protobuf::OneofDescriptor* choice = request.FindOneofByName("event");
  if (choice == nullptr) return Refuse(request, "has no oneof \"event\"");
  for (int i = 0; i < choice->field_count(); ++i) {
    const FieldDescriptor& field = *choice->field(i);
    if (field.name() == "custom") continue;
    auto event = ReadEvent(field);
    if (!event.ok()) return event.status();
    (*event)->type.index = static_cast<uint32_t>(types.size());
    const CatalogEvent* added = event->get();
    by_name.emplace(added->type.name, added);  // two of one name would need two fields of one name
    by_message.emplace(added->type.payload, added);
    by_number.resize(std::max<size_t>(by_number.size(), field.number() + 1));
    by_number[field.number()] = added;
    types.push_back(&added->type);
    events.push_back(*std::move(event));
  }
  // A declared event that nobody can emit is a slip.
  for (const auto& event : events) {
    const google::protobuf::FileDescriptor& file = *event->type.payload->file();
    for (int i = 0; i < file.message_type_count(); ++i) {
      const Descriptor& message = *file.message_type(i);
      if (message.options().HasExtension(v1::event) && !by_message.contains(&message)) {
        return Refuse(message, fmt::format("declares an event that {}.event has no field for",
                                           request.full_name()));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Catalog::Impl::AddCustom(std::vector<CustomEvent> added) {
  for (CustomEvent& event : added) {
    auto type = std::make_unique<EventType>();
    type->name = std::move(event.name);
    type->index = static_cast<uint32_t>(types.size());
    type->delivery = event.delivery;
    type->to_user = event.to_user;
    type->to_room = event.to_room;
    type->to_everyone = event.to_everyone;
    type->custom = true;
    const auto refuse = [&type](std::string_view fault) {
      return absl::FailedPreconditionError(
          fmt::format("custom event \"{}\": {}", type->name, fault));
    };
    if (!type->to_user && !type->to_room && !type->to_everyone) return refuse("has no audience");
    if (by_name.contains(type->name)) return refuse("the name is in the catalog");
    if (absl::Status status = custom.Add(type.get()); !status.ok()) return status;
    types.push_back(type.get());
    custom_types.push_back(std::move(type));
  }
  return absl::OkStatus();
}

void Catalog::Impl::PrepareEvent(const CatalogEvent& event, const v1::EmitEventRequest& request,
                                 Entry& entry, Violations& violations) const {
  const Message& payload = request.GetReflection()->GetMessage(request, event.field);
  entry.type = &event.type;
  entry.name = event.type.name;
  PayloadSink sink{&Scratch(), &violations};
  event.plan->Write(payload, nullptr, sink);
  if (sink.Full()) {
    AddTooLarge("payload", violations);
  } else {
    entry.payload = *sink.text;
  }
  if (event.type.delivery == DeliveryClass::kLatest) HashFields(*event.plan, payload, entry);
  NamedByPayload named = ReadNamed(*event.plan, payload);
  const bool unreadable = event.plan->naming() != nullptr && named.user == 0 && named.room.empty();
  if (unreadable && !request.has_target()) return;
  std::optional<Target> target = ResolveTarget(
      event.type, request.has_target() ? &request.target() : nullptr, named, violations);
  if (target) entry.target = *std::move(target);
}

void Catalog::Impl::PrepareCustom(const v1::EmitEventRequest& request, Entry& entry,
                                  Violations& violations) const {
  const std::string& name = request.custom().name();
  const google::protobuf::Struct& payload = request.custom().payload();
  const bool own = by_name.contains(name);
  const EventType* type = own ? nullptr : custom.Find(name);
  if (type == nullptr) {
    violations.Add("custom.name", own ? "is an event of the catalog: must be emitted as that"
                                      : "is no event of [[custom_events]] in the configuration: "
                                        "must match one");
  }
  PayloadSink sink{&Scratch(), &violations};
  WriteStruct(payload, JsonPath{nullptr, "custom.payload"}, sink);
  if (sink.Full()) {
    AddTooLarge("custom.payload", violations);
  } else {
    entry.payload = *sink.text;
  }
  if (type == nullptr) return;  // whose target would be right is then unknown
  entry.type = type;
  entry.name = name;
  if (type->delivery == DeliveryClass::kLatest) HashFields(payload, entry);
  std::optional<Target> target =
      ResolveTarget(*type, request.has_target() ? &request.target() : nullptr, {}, violations);
  if (target) entry.target = *std::move(target);
}

Catalog::Catalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;

absl::StatusOr<std::unique_ptr<const Catalog>> Catalog::Create(std::vector<CustomEvent> custom) {
  return CreateFrom(*v1::EmitEventRequest::descriptor(), *v1::RoomJoinCommand::descriptor()->file(),
                    std::move(custom));
}

absl::StatusOr<std::unique_ptr<const Catalog>> Catalog::CreateFrom(
    const Descriptor& request, const google::protobuf::FileDescriptor& commands,
    std::vector<CustomEvent> custom) {
  auto impl = std::make_unique<Impl>();
  if (absl::Status status = impl->AddEvents(request); !status.ok()) return status;
  if (absl::Status status = impl->AddCustom(std::move(custom)); !status.ok()) return status;
  auto rules = CommandRules::Create(commands);
  if (!rules.ok()) return rules.status();
  impl->commands = *std::move(rules);
  std::vector<DescribedEvent> described;
  for (const auto& event : impl->events) {
    described.push_back(
        {&event->type, event->plan.get(), event->field->name(), event->field->number()});
  }
  for (const auto& type : impl->custom_types) {
    described.push_back({type.get(), nullptr, "custom", v1::EmitEventRequest::kCustomFieldNumber});
  }
  impl->document = DescribeContract(described, *impl->commands);
  return std::unique_ptr<const Catalog>(new Catalog(std::move(impl)));
}

const std::vector<const EventType*>& Catalog::types() const { return impl_->types; }

const EventType* Catalog::Find(std::string_view name) const {
  const auto it = impl_->by_name.find(name);
  return it != impl_->by_name.end() ? &it->second->type : impl_->custom.Find(name);
}

const CommandRules& Catalog::commands() const { return *impl_->commands; }

Catalog::Prepared Catalog::Prepare(const v1::EmitEventRequest& request, int64_t now) const {
  auto entry = std::make_shared<Entry>();
  Violations violations;
  const auto number = static_cast<size_t>(request.event_case());
  if (number == v1::EmitEventRequest::EVENT_NOT_SET) {
    violations.Add("event", "is required: must be one of the events of the contract, or custom");
  } else if (number == v1::EmitEventRequest::kCustom) {
    impl_->PrepareCustom(request, *entry, violations);
  } else {
    impl_->PrepareEvent(*impl_->by_number[number], request, *entry, violations);
  }
  ReadOccurredAt(request, now, *entry, violations);
  ReadTtl(request, *entry, violations);
  ReadIds(request, *entry, violations);
  if (!violations.empty()) return {nullptr, violations.Take()};
  return {std::move(entry), {}};
}

std::shared_ptr<Entry> Catalog::Make(const Message& payload, Target target, int64_t now) const {
  const auto it = impl_->by_message.find(payload.GetDescriptor());
  if (it == impl_->by_message.end()) {
    Die(payload.GetDescriptor()->full_name(), "not in the catalog");
  }
  const CatalogEvent& event = *it->second;
  auto entry = std::make_shared<Entry>();
  Violations violations;
  PayloadSink sink{&Scratch(), &violations};
  event.plan->Write(payload, nullptr, sink);
  if (sink.Full()) AddTooLarge("payload", violations);
  if (!violations.empty()) {
    const std::vector<Violation> found = violations.Take();
    Die(event.type.name, fmt::format("{} {}", found[0].field, found[0].description));
  }
  entry->type = &event.type;
  entry->name = event.type.name;
  entry->target = std::move(target);
  entry->payload = *sink.text;
  entry->occurred_at = now;
  entry->event_id = NewEventId();
  if (event.type.delivery == DeliveryClass::kLatest) HashFields(*event.plan, payload, *entry);
  return entry;
}

std::shared_ptr<Entry> Catalog::MakeEncoded(std::string_view name, std::string payload,
                                            Target target, int64_t now) const {
  const EventType* type = Find(name);
  if (type == nullptr) Die(name, "not in the catalog");
  auto entry = std::make_shared<Entry>();
  entry->type = type;
  entry->name = std::string(name);
  entry->target = std::move(target);
  entry->payload = std::move(payload);
  entry->occurred_at = now;
  entry->event_id = NewEventId();
  return entry;
}

std::string Catalog::PrintContract() const { return impl_->document.json; }

const std::string& Catalog::version() const { return impl_->document.version; }

}  // namespace msab
