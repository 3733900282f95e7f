#include "server/contract/message_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "server/contract/json_text.h"
#include "server/contract/struct_json.h"

namespace msab {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status Refuse(const FieldDescriptor& field, std::string_view fault) {
  return absl::FailedPreconditionError(fmt::format("{}: {}", field.full_name(), fault));
}

// Keys need no escaping in JSON, and are names in every client's language.
bool IsKey(std::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
         });
}

std::optional<MessagePlan::Kind> KindOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_BOOL:
      return MessagePlan::Kind::kBool;
    case FieldDescriptor::TYPE_INT32:
      return MessagePlan::Kind::kInt32;
    case FieldDescriptor::TYPE_INT64:
      return MessagePlan::Kind::kInt64;
    case FieldDescriptor::TYPE_DOUBLE:
      return MessagePlan::Kind::kDouble;
    case FieldDescriptor::TYPE_STRING:
      return MessagePlan::Kind::kString;
    case FieldDescriptor::TYPE_MESSAGE:
      return MessagePlan::Kind::kMessage;
    default:
      return std::nullopt;
  }
}

// A field that names the user or room must be there and be an id of it.
absl::Status CheckNaming(const MessagePlan::Step& step, bool top) {
  const FieldRule& rule = step.rule;
  const bool id = rule.format == v1::FORMAT_ID;
  const bool fits = (rule.names == v1::AUDIENCE_USER && id) ||
                    (rule.names == v1::AUDIENCE_ROOM && (id || rule.format == v1::FORMAT_ROOM_ID));
  if (!fits) {
    return Refuse(*step.field,
                  "names takes AUDIENCE_USER on a FORMAT_ID, AUDIENCE_ROOM on a FORMAT_ID or "
                  "FORMAT_ROOM_ID");
  }
  if (!top || !rule.required) {
    return Refuse(*step.field, "names is for required fields of the event's own message");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<const MessagePlan>> MessagePlan::Compile(const Descriptor& message) {
  std::vector<const Descriptor*> above;
  return Compile(message, above);
}

absl::StatusOr<std::unique_ptr<const MessagePlan>> MessagePlan::Compile(
    const Descriptor& message, std::vector<const Descriptor*>& above) {
  if (std::find(above.begin(), above.end(), &message) != above.end()) {
    return absl::FailedPreconditionError(fmt::format("{}: contains itself", message.full_name()));
  }
  above.push_back(&message);
  auto plan = std::unique_ptr<MessagePlan>(new MessagePlan(message));
  plan->steps_.reserve(message.field_count());
  for (int i = 0; i < message.field_count(); ++i) {
    if (absl::Status status = plan->AddStep(*message.field(i), above); !status.ok()) return status;
  }
  for (const Step& step : plan->steps_) {
    if (step.rule.names == v1::AUDIENCE_UNSPECIFIED) continue;
    if (plan->naming_ != nullptr) return Refuse(*step.field, "a second field with names");
    plan->naming_ = &step;
  }
  above.pop_back();
  return plan;
}

absl::Status MessagePlan::AddStep(const FieldDescriptor& field,
                                  std::vector<const Descriptor*>& above) {
  Step step;
  step.field = &field;
  absl::StatusOr<FieldRule> rule = FieldRule::Compile(field);
  if (!rule.ok()) return Refuse(field, std::string(rule.status().message()));
  step.rule = *std::move(rule);
  if (step.rule.spread) {
    step.kind = Kind::kSpread;
    steps_.push_back(std::move(step));
    return absl::OkStatus();
  }
  const std::optional<Kind> kind = KindOf(field);
  if (!kind) {
    return Refuse(field,
                  "payloads are made of bool, int32, int64, double, string and messages (closed "
                  "sets are a string with allowed)");
  }
  if (field.is_map()) return Refuse(field, "a map must be spread");
  if (field.real_containing_oneof() != nullptr) return Refuse(field, "payloads have no oneof");
  step.kind = *kind;
  step.repeated = field.is_repeated();
  if (!step.repeated && !field.has_presence()) {
    return Refuse(field, "a single scalar must be optional, so that its absence is known");
  }
  step.json_name = field.json_name();
  if (!field.has_json_name()) return Refuse(field, "its json_name must be written out");
  if (!IsKey(step.json_name)) return Refuse(field, "its json_name must be letters, digits and _");
  for (const Step& other : steps_) {
    if (other.json_name == step.json_name) {
      return Refuse(field, fmt::format("its json_name is also that of {}", other.field->name()));
    }
  }
  step.key = fmt::format("\"{}\":", step.json_name);
  step.key_hash = HashKey(step.json_name);
  if (step.rule.names != v1::AUDIENCE_UNSPECIFIED) {
    if (absl::Status status = CheckNaming(step, above.size() == 1); !status.ok()) return status;
  }
  if (step.kind == Kind::kMessage) {
    auto message = Compile(*field.message_type(), above);
    if (!message.ok()) return message.status();
    step.message = *std::move(message);
  }
  steps_.push_back(std::move(step));
  return absl::OkStatus();
}

namespace {

using Kind = MessagePlan::Kind;
using Step = MessagePlan::Step;

void WriteInt(int64_t value, const FieldRule& rule, const JsonPath& at, PayloadSink& sink) {
  if (std::optional<std::string> problem = rule.Problem(value)) {
    sink.violations->Add(at, *std::move(problem));
  } else {
    AppendJsonInt(value, sink.text);
  }
}

void WriteDouble(double value, const JsonPath& at, PayloadSink& sink) {
  if (!AppendJsonDouble(value, sink.text)) {
    sink.violations->Add(at, "must be a finite number");
  }
}

void WriteString(std::string_view value, const FieldRule& rule, const JsonPath& at,
                 PayloadSink& sink) {
  if (std::optional<std::string> problem = rule.Problem(value)) {
    sink.violations->Add(at, *std::move(problem));
  } else if (value.size() > kMaxPayloadBytes) {
    sink.too_large = true;
  } else if (!AppendJsonString(value, sink.text)) {
    sink.violations->Add(at, "is not valid UTF-8");
  }
}

void WriteBool(bool value, PayloadSink& sink) { sink.text->append(value ? "true" : "false"); }

void WriteOne(const Message& message, const Reflection& reflection, const Step& step,
              const JsonPath& at, PayloadSink& sink) {
  switch (step.kind) {
    case Kind::kBool:
      return WriteBool(reflection.GetBool(message, step.field), sink);
    case Kind::kInt32:
      return WriteInt(reflection.GetInt32(message, step.field), step.rule, at, sink);
    case Kind::kInt64:
      return WriteInt(reflection.GetInt64(message, step.field), step.rule, at, sink);
    case Kind::kDouble:
      return WriteDouble(reflection.GetDouble(message, step.field), at, sink);
    case Kind::kString: {
      std::string scratch;
      return WriteString(reflection.GetStringReference(message, step.field, &scratch), step.rule,
                         at, sink);
    }
    case Kind::kMessage:
      return step.message->Write(reflection.GetMessage(message, step.field), &at, sink);
    case Kind::kSpread:
      return;
  }
}

void WriteList(const Message& message, const Reflection& reflection, const Step& step,
               const JsonPath& at, PayloadSink& sink) {
  const int size = reflection.FieldSize(message, step.field);
  if (std::optional<std::string> problem = step.rule.ProblemWithSize(size)) {
    sink.violations->Add(at, *std::move(problem));
  }
  sink.text->push_back('[');
  for (int i = 0; i < size && !sink.Full(); ++i) {
    if (i > 0) sink.text->push_back(',');
    const JsonPath item{&at, {}, i};
    switch (step.kind) {
      case Kind::kBool:
        WriteBool(reflection.GetRepeatedBool(message, step.field, i), sink);
        break;
      case Kind::kInt32:
        WriteInt(reflection.GetRepeatedInt32(message, step.field, i), step.rule, item, sink);
        break;
      case Kind::kInt64:
        WriteInt(reflection.GetRepeatedInt64(message, step.field, i), step.rule, item, sink);
        break;
      case Kind::kDouble:
        WriteDouble(reflection.GetRepeatedDouble(message, step.field, i), item, sink);
        break;
      case Kind::kString: {
        std::string scratch;
        WriteString(reflection.GetRepeatedStringReference(message, step.field, i, &scratch),
                    step.rule, item, sink);
        break;
      }
      case Kind::kMessage:
        step.message->Write(reflection.GetRepeatedMessage(message, step.field, i), &item, sink);
        break;
      case Kind::kSpread:
        break;
    }
  }
  sink.text->push_back(']');
}

bool IsDeclared(const std::vector<Step>& steps, std::string_view key) {
  return std::any_of(steps.begin(), steps.end(), [key](const Step& step) {
    return step.kind != Kind::kSpread && step.json_name == key;
  });
}

// `steps`: of the message that the entries are spread over.
void WriteSpread(const Message& message, const Reflection& reflection, const Step& step,
                 const std::vector<Step>& steps, const JsonPath* at, PayloadSink& sink) {
  const FieldDescriptor* key_field = step.field->message_type()->map_key();
  const FieldDescriptor* value_field = step.field->message_type()->map_value();
  // Sorted, so that equal payloads are equal texts.
  std::map<std::string, const google::protobuf::Value*> entries;
  for (int i = 0; i < reflection.FieldSize(message, step.field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, step.field, i);
    const Message& value = entry.GetReflection()->GetMessage(entry, value_field);
    entries.emplace(entry.GetReflection()->GetString(entry, key_field),
                    google::protobuf::DynamicCastToGenerated<google::protobuf::Value>(&value));
  }
  for (const auto& [key, value] : entries) {
    if (sink.Full()) return;
    const JsonPath path{at, key};
    if (IsDeclared(steps, key)) {
      sink.violations->Add(
          path, fmt::format("is a field of its own: not allowed in {}", step.field->name()));
      continue;
    }
    if (sink.text->back() != '{') sink.text->push_back(',');
    if (key.size() > kMaxPayloadBytes || !AppendJsonString(key, sink.text)) {
      sink.violations->Add(JsonPath{at, step.field->name()}, "has a key that is not valid UTF-8");
      continue;
    }
    sink.text->push_back(':');
    WriteValue(*value, path, sink);
  }
}

}  // namespace

void MessagePlan::Write(const Message& message, const JsonPath* at, PayloadSink& sink) const {
  const Reflection& reflection = *message.GetReflection();
  sink.text->push_back('{');
  for (const Step& step : steps_) {
    if (step.kind == Kind::kSpread) {
      WriteSpread(message, reflection, step, steps_, at, sink);
      continue;
    }
    const bool present = step.repeated || reflection.HasField(message, step.field);
    if (!present && !step.rule.nullable) {
      if (step.rule.required) {
        sink.violations->Add(JsonPath{at, step.json_name}, "is required");
      }
      continue;
    }
    if (sink.text->back() != '{') sink.text->push_back(',');
    sink.text->append(step.key);
    if (!present) {
      sink.text->append("null");
    } else if (step.repeated) {
      WriteList(message, reflection, step, {at, step.json_name}, sink);
    } else {
      WriteOne(message, reflection, step, {at, step.json_name}, sink);
    }
  }
  sink.text->push_back('}');
}

}  // namespace msab
