#include "server/contract/json_schema.h"

#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "boost/json/array.hpp"
#include "google/protobuf/descriptor.h"

namespace msab {
namespace {

namespace json = boost::json;
using Kind = MessagePlan::Kind;
using Step = MessagePlan::Step;

std::string_view FormatName(v1::Format format) {
  switch (format) {
    case v1::FORMAT_ID:
      return "id";
    case v1::FORMAT_TIMESTAMP:
      return "timestamp-ms";
    case v1::FORMAT_DECIMAL:
      return "decimal";
    case v1::FORMAT_ROOM_ID:
      return "room-id";
    default:
      return "";
  }
}

json::object IntegerSchema(const FieldRule& rule) {
  return {{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}};
}

json::object StringSchema(const FieldRule& rule, bool read) {
  json::object schema{{"type", "string"}};
  if (rule.format == v1::FORMAT_DECIMAL) {
    schema["pattern"] = R"(^-?[0-9]{1,30}(\.[0-9]{1,8})?$)";
  } else if (rule.format == v1::FORMAT_ROOM_ID) {
    if (read) schema["type"] = json::array{"string", "integer"};
    schema["pattern"] = "^[A-Za-z0-9_:.-]{1,64}$";
  } else if (!rule.allowed.empty()) {
    schema["enum"] = json::array(rule.allowed.begin(), rule.allowed.end());
  }
  // A text of at least one byte has at least one character, and never more characters than bytes.
  const uint32_t least = std::max(rule.min_characters, rule.min_bytes > 0 ? 1U : 0U);
  const uint32_t most = std::min(rule.max_characters, rule.max_bytes);
  if (least > 0) schema["minLength"] = least;
  if (most != FieldRule::kUnbounded) schema["maxLength"] = most;
  if (rule.min_bytes > 1) schema["x-min-bytes"] = rule.min_bytes;
  if (rule.max_bytes != FieldRule::kUnbounded) schema["x-max-bytes"] = rule.max_bytes;
  return schema;
}

void AllowNull(json::object& schema) {
  if (schema.contains("$ref")) {
    json::object reference = std::exchange(schema, {});
    schema["anyOf"] = json::array{std::move(reference), json::object{{"type", "null"}}};
    return;
  }
  schema["type"] = json::array{schema["type"], "null"};
  if (json::value* allowed = schema.if_contains("enum")) allowed->as_array().push_back(nullptr);
}

}  // namespace

std::string JsonSchemas::Name(const MessagePlan& plan) {
  const std::string& full = plan.descriptor().full_name();
  const std::string& package = plan.descriptor().file()->package();
  return package.empty() ? full : full.substr(package.size() + 1);
}

json::object JsonSchemas::Reference(const MessagePlan& plan) {
  return {{"$ref", "#/components/schemas/" + Name(plan)}};
}

void JsonSchemas::AddWritten(const MessagePlan& plan) {
  const std::string name = Name(plan);
  if (!schemas_.contains(name)) schemas_[name] = Message(plan, /*read=*/false);
}

void JsonSchemas::AddCommand(const CommandRules::Command& command) {
  json::object schema = Message(*command.data, /*read=*/true);
  json::array choices;
  for (const Step* step : command.exactly_one_of) {
    choices.push_back(json::object{{"required", json::array{step->json_name}}});
  }
  if (!choices.empty()) schema["oneOf"] = std::move(choices);
  schemas_[Name(*command.data)] = std::move(schema);
  AddWritten(*command.answer);
}

json::object JsonSchemas::Message(const MessagePlan& plan, bool read) {
  json::object properties;
  json::array required;
  std::string_view spread;
  json::object numbers;
  for (const Step& step : plan.steps()) {
    numbers[step.kind == Kind::kSpread ? step.field->name() : step.json_name] =
        step.field->number();
    if (step.kind == Kind::kSpread) {
      spread = step.field->name();
      continue;
    }
    properties[step.json_name] = Field(step, read);
    if (step.rule.required || step.rule.nullable || (step.repeated && !read)) {
      required.emplace_back(step.json_name);
    }
  }
  json::object schema{{"type", "object"}};
  if (const std::string comment = comments_.Of(plan.descriptor()); !comment.empty()) {
    schema["description"] = comment;
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = !spread.empty();
  if (!spread.empty()) schema["x-spread-field"] = spread;
  schema["x-proto-numbers"] = std::move(numbers);
  return schema;
}

json::object JsonSchemas::Field(const Step& step, bool read) {
  json::object schema = Value(step, read);
  if (step.rule.nullable) AllowNull(schema);
  if (step.repeated) {
    json::object list{{"type", "array"}, {"items", std::move(schema)}};
    if (step.rule.min_items > 0) list["minItems"] = step.rule.min_items;
    if (step.rule.max_items != FieldRule::kUnbounded) list["maxItems"] = step.rule.max_items;
    schema = std::move(list);
  }
  const std::string comment = comments_.Of(*step.field);
  if (comment.empty()) return schema;
  if (schema.contains("$ref")) {  // whose siblings don't count
    json::object reference = std::exchange(schema, {});
    schema["allOf"] = json::array{std::move(reference)};
  }
  schema["description"] = comment;
  return schema;
}

json::object JsonSchemas::Value(const Step& step, bool read) {
  json::object schema;
  switch (step.kind) {
    case Kind::kBool:
      schema = {{"type", "boolean"}};
      break;
    case Kind::kInt32:
    case Kind::kInt64:
      schema = IntegerSchema(step.rule);
      break;
    case Kind::kDouble:
      schema = {{"type", "number"}};
      break;
    case Kind::kString:
      schema = StringSchema(step.rule, read);
      break;
    case Kind::kMessage:
      AddWritten(*step.message);
      return Reference(*step.message);
    case Kind::kSpread:
      return schema;
  }
  if (step.rule.format != v1::FORMAT_UNSPECIFIED) {
    schema["x-format"] = FormatName(step.rule.format);
  }
  if (const std::string& text = step.rule.default_text; !text.empty()) {
    int64_t number = 0;
    if (step.kind == Kind::kString) {
      schema["default"] = text;
    } else if (absl::SimpleAtoi(text, &number)) {
      schema["default"] = number;
    }
  }
  return schema;
}

}  // namespace msab
