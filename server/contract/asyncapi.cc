#include "server/contract/asyncapi.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "google/protobuf/descriptor.h"
#include "msab/v1/session.pb.h"
#include "server/contract/json_schema.h"

namespace msab {
namespace {

namespace json = boost::json;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FileDescriptor;

constexpr std::string_view kDescription =
    "What the relay's clients hear and may ask, over one WebSocket. Each message's payload is the "
    "`data` of a frame of the native dialect, and the first argument of an event of the Socket.IO "
    "dialect; its name is the event's. Replies are the `data` of a successful answer, or the "
    "`error` of one that is not: `Refusal`. What the relay says about the connection itself has "
    "`x-frame`: `data` as above, `beside`: its members stand beside `event` in the frame, `error`; "
    "`x-dialect` is the only one that has it. `x-error-codes` are the codes of a `Refusal`, "
    "`x-close-codes` those of a close frame; their `retry` is what a client does next: `never`, "
    "`backoff` (after a random wait whose bound doubles), `told` (after the time that the relay "
    "tells), `new-token`, `same-id` (it may have been done: a repeat under its id counts once). "
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

std::string Bare(const EnumValueDescriptor& value, std::string_view prefix) {
  return value.name().substr(prefix.size());
}

// "new-token": as the document spells RETRY_NEW_TOKEN.
std::string RetryName(v1::Retry retry) {
  const EnumValueDescriptor& value = *v1::Retry_descriptor()->FindValueByNumber(retry);
  std::string name = Bare(value, "RETRY_");
  absl::AsciiStrToLower(&name);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
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
    AddSend(key);
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
                      {"messages", json::array{Reference("channels/relay/messages", answer),
                                               Reference("channels/relay/messages", "Refusal")}}}},
    };
  }

  // What the relay says about the connection itself.
  void AddSession(const FileDescriptor& file) {
    for (int i = 0; i < file.message_type_count(); ++i) {
      const Descriptor& message = *file.message_type(i);
      if (message.options().HasExtension(v1::frame)) AddFrame(message);
    }
  }

  json::object Take(std::string_view version) && {
    json::object schemas = schemas_.Take();
    DescribeRefusal(schemas["Refusal"].as_object());
    return {
        {"asyncapi", "3.0.0"},
        {"info",
         json::object{
             {"title", "msab-relay"}, {"version", version}, {"description", kDescription}}},
        {"defaultContentType", "application/json"},
        {"channels",
         json::object{{"relay", json::object{{"address", "/ws"},
                                             {"description", "One client's connection."},
                                             {"messages", std::move(channel_messages_)},
                                             {"x-close-codes", CloseCodes()},
                                             {"x-error-codes", ErrorCodes()}}}}},
        {"operations", std::move(operations_)},
        {"components",
         json::object{{"messages", std::move(messages_)}, {"schemas", std::move(schemas)}}},
    };
  }

 private:
  void AddFrame(const Descriptor& declared) {
    const v1::FrameOptions& said = declared.options().GetExtension(v1::frame);
    // Dies on a declaration that can't be honoured: it is part of the program.
    const std::unique_ptr<const MessagePlan> plan = MessagePlan::Compile(declared).value();
    const std::string key = JsonSchemas::Name(*plan);
    const bool error = said.name().empty();
    schemas_.AddWritten(*plan);
    json::object message{{"name", error ? "error" : said.name()}};
    Describe(*plan, message);
    message["payload"] = JsonSchemas::Reference(*plan);
    message["x-frame"] = error ? "error" : said.beside() ? "beside" : "data";
    if (!error) message["x-dialect"] = said.socketio() ? "socketio" : "native";
    AddMessage(key, std::move(message));
    if (!error) AddSend(key);
  }

  // What the declarations have no words for: codes, and any JSON.
  void DescribeRefusal(json::object& schema) {
    json::object& properties = schema["properties"].as_object();
    json::array codes;
    for (const json::value& code : ErrorCodes()) {
      codes.push_back(code.at("code"));
    }
    properties["code"].as_object()["enum"] = std::move(codes);
    properties["details"] = json::object{
        {"description",
         "What else is known: violated fields, each with `field` and `description`, of "
         "INVALID_PAYLOAD; the application's `code` and `reason` of REJECTED."}};
  }

  json::array CloseCodes() {
    return Codes(*v1::CloseCode_descriptor(), [](const EnumValueDescriptor& value) {
      return json::object{{"code", value.number()}, {"name", Bare(value, "CLOSE_CODE_")}};
    });
  }

  json::array ErrorCodes() {
    return Codes(*v1::ErrorCode_descriptor(), [](const EnumValueDescriptor& value) {
      return json::object{{"code", Bare(value, "ERROR_CODE_")}};
    });
  }

  // An enum's values but the unspecified one: what `begin` makes of each, and what to do about it.
  template <typename F>
  json::array Codes(const EnumDescriptor& declared, F begin) {
    json::array codes;
    for (int i = 0; i < declared.value_count(); ++i) {
      const EnumValueDescriptor& value = *declared.value(i);
      if (value.number() == 0) continue;
      json::object code = begin(value);
      code["retry"] = RetryName(value.options().GetExtension(v1::code).retry());
      code["description"] = schemas_.comments().Of(value);
      codes.push_back(std::move(code));
    }
    return codes;
  }

  void AddSend(const std::string& key) {
    operations_["send" + key] = json::object{
        {"action", "send"},
        {"channel", Reference("channels", "relay")},
        {"messages", json::array{Reference("channels/relay/messages", key)}},
    };
  }

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
  parts.AddSession(*v1::Welcome::descriptor()->file());
  json::object document = std::move(parts).Take("");
  ContractDocument contract;
  contract.version = VersionOf(json::serialize(document));
  document["info"].as_object()["version"] = contract.version;
  Print(document, 0, &contract.json);
  contract.json.push_back('\n');
  return contract;
}

}  // namespace msab
