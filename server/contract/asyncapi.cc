#include "server/contract/asyncapi.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "server/contract/json_schema.h"

namespace msab {
namespace {

namespace json = boost::json;

constexpr std::string_view kDescription =
    "What the relay's clients hear and may ask, over one WebSocket. Each message's payload is the "
    "`data` of a frame of the native dialect, and the first argument of an event of the Socket.IO "
    "dialect; its name is the event's. Replies are the `data` of a successful answer. "
    "`x-audience` says who may get an event, `x-class` how hard the relay holds on to it: DURABLE "
    "is replayed after a reconnect, LATEST only as the newest state, EPHEMERAL never. "
    "`x-target-from` is the field that names the event's user or room. For generators of emitters: "
    "`x-emit-field` is the event's field in EmitEventRequest and `x-emit-number` that field's "
    "number; `x-proto-numbers` are those of a schema's properties in its message, which is named "
    "like the schema; `x-spread-field` is the map there that holds an open object's further keys.";

std::string_view ClassName(DeliveryClass delivery) {
  switch (delivery) {
    case DeliveryClass::kDurable:
      return "DURABLE";
    case DeliveryClass::kLatest:
      return "LATEST";
    case DeliveryClass::kEphemeral:
      return "EPHEMERAL";
  }
  return "";
}

json::array Audiences(const EventType& type) {
  json::array names;
  if (type.to_user) names.emplace_back("user");
  if (type.to_room) names.emplace_back("room");
  if (type.to_everyone) names.emplace_back("everyone");
  return names;
}

json::object Reference(std::string_view place, std::string_view key) {
  return {{"$ref", fmt::format("#/{}/{}", place, key)}};
}

// Gathers the document's parts. A message has one key everywhere: its name in the .proto.
class Document {
 public:
  void AddEvent(const DescribedEvent& event, int number) {
    const EventType& type = *event.type;
    json::object message{{"name", type.name}};
    std::string key;
    if (event.plan != nullptr) {
      key = JsonSchemas::Name(*event.plan);
      schemas_.AddWritten(*event.plan);
      Describe(*event.plan, message);
      message["payload"] = JsonSchemas::Reference(*event.plan);
    } else {
      key = fmt::format("Custom{}", number);
      message["summary"] = "An event of the configuration; a trailing * matches any name.";
      message["payload"] = json::object{{"type", "object"}};
      message["x-custom"] = true;
    }
    message["x-audience"] = Audiences(type);
    message["x-class"] = ClassName(type.delivery);
    if (!event.emit_field.empty()) {
      message["x-emit-field"] = event.emit_field;
      message["x-emit-number"] = event.emit_number;
    }
    if (event.plan != nullptr && event.plan->naming() != nullptr) {
      message["x-target-from"] = event.plan->naming()->json_name;
    }
    AddMessage(key, std::move(message));
    operations_["send" + key] = json::object{
        {"action", "send"},
        {"channel", Reference("channels", "relay")},
        {"messages", json::array{Reference("channels/relay/messages", key)}},
    };
  }

  void AddCommand(const CommandRules::Command& command) {
    schemas_.AddCommand(command);
    const std::string data = AddCommandMessage(command.name, *command.data);
    const std::string answer = AddCommandMessage(command.name, *command.answer);
    operations_["receive" + data] = json::object{
        {"action", "receive"},
        {"channel", Reference("channels", "relay")},
        {"messages", json::array{Reference("channels/relay/messages", data)}},
        {"reply",
         json::object{{"channel", Reference("channels", "relay")},
                      {"messages", json::array{Reference("channels/relay/messages", answer)}}}},
    };
  }

  json::object Take(std::string_view version) && {
    return {
        {"asyncapi", "3.0.0"},
        {"info",
         json::object{
             {"title", "msab-relay"}, {"version", version}, {"description", kDescription}}},
        {"defaultContentType", "application/json"},
        {"channels",
         json::object{{"relay", json::object{{"address", "/ws"},
                                             {"description", "One client's connection."},
                                             {"messages", std::move(channel_messages_)}}}}},
        {"operations", std::move(operations_)},
        {"components",
         json::object{{"messages", std::move(messages_)}, {"schemas", schemas_.Take()}}},
    };
  }

 private:
  void Describe(const MessagePlan& plan, json::object& message) {
    const std::string comment = schemas_.comments().Of(plan.descriptor());
    if (!comment.empty()) message["description"] = comment;
  }

  std::string AddCommandMessage(std::string_view name, const MessagePlan& plan) {
    std::string key = JsonSchemas::Name(plan);
    json::object message{{"name", name}};
    Describe(plan, message);
    message["payload"] = JsonSchemas::Reference(plan);
    AddMessage(key, std::move(message));
    return key;
  }

  void AddMessage(std::string_view key, json::object message) {
    messages_[key] = std::move(message);
    channel_messages_[key] = Reference("components/messages", key);
  }

  JsonSchemas schemas_;
  json::object messages_;
  json::object channel_messages_;
  json::object operations_;
};

// Indented by two spaces, an entry a line: a document that people read and compare.
void Print(const json::value& value, int depth, std::string* out) {
  const std::string indent(static_cast<size_t>(2 * depth + 2), ' ');
  const std::string_view outer = std::string_view(indent).substr(2);
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    const char* separator = "{\n";
    for (const auto& [key, member] : *object) {
      *out += fmt::format("{}{}{}: ", std::exchange(separator, ",\n"), indent,
                          json::serialize(json::string(key)));
      Print(member, depth + 1, out);
    }
    *out += fmt::format("\n{}}}", outer);
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    const char* separator = "[\n";
    for (const json::value& item : *array) {
      *out += fmt::format("{}{}", std::exchange(separator, ",\n"), indent);
      Print(item, depth + 1, out);
    }
    *out += fmt::format("\n{}]", outer);
  } else {
    out->append(json::serialize(value));
  }
}

std::string VersionOf(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + 8, ""));
}

}  // namespace

ContractDocument DescribeContract(const std::vector<DescribedEvent>& events,
                                  const CommandRules& commands) {
  Document parts;
  int number = 0;
  for (const DescribedEvent& event : events) parts.AddEvent(event, ++number);
  for (const CommandRules::Command& command : commands.commands()) parts.AddCommand(command);
  json::object document = std::move(parts).Take("");
  ContractDocument contract;
  contract.version = VersionOf(json::serialize(document));
  document["info"].as_object()["version"] = contract.version;
  Print(document, 0, &contract.json);
  contract.json.push_back('\n');
  return contract;
}

}  // namespace msab
