#include "server/contract/struct_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "google/protobuf/struct.pb.h"
#include "server/contract/json_text.h"

namespace msab {
namespace {

void WriteString(std::string_view value, const JsonPath& at, PayloadSink& sink) {
  if (value.size() > kMaxPayloadBytes) {
    sink.too_large = true;
  } else if (!AppendJsonString(value, sink.text)) {
    sink.violations->Add(at, "is not valid UTF-8");
  }
}

void WriteList(const google::protobuf::ListValue& list, const JsonPath& at, PayloadSink& sink,
               int depth) {
  sink.text->push_back('[');
  for (int i = 0; i < list.values_size() && !sink.Full(); ++i) {
    if (i > 0) sink.text->push_back(',');
    WriteValue(list.values(i), {&at, {}, i}, sink, depth);
  }
  sink.text->push_back(']');
}

}  // namespace

void WriteStruct(const google::protobuf::Struct& object, const JsonPath& at, PayloadSink& sink,
                 int depth) {
  if (depth > kMaxJsonDepth) {
    sink.violations->Add(at, fmt::format("is nested deeper than {} levels", kMaxJsonDepth));
    return;
  }
  using Field = std::pair<std::string_view, const google::protobuf::Value*>;
  absl::InlinedVector<Field, 16> fields;
  fields.reserve(object.fields_size());
  for (const auto& [key, value] : object.fields()) fields.emplace_back(key, &value);
  std::sort(fields.begin(), fields.end());
  sink.text->push_back('{');
  for (const auto& [key, value] : fields) {
    if (sink.Full()) return;
    if (sink.text->back() != '{') sink.text->push_back(',');
    WriteString(key, at, sink);
    sink.text->push_back(':');
    WriteValue(*value, {&at, key}, sink, depth);
  }
  sink.text->push_back('}');
}

void WriteValue(const google::protobuf::Value& value, const JsonPath& at, PayloadSink& sink,
                int depth) {
  using google::protobuf::Value;
  switch (value.kind_case()) {
    case Value::kNullValue:
      sink.text->append("null");
      return;
    case Value::kBoolValue:
      sink.text->append(value.bool_value() ? "true" : "false");
      return;
    case Value::kNumberValue:
      if (!AppendJsonDouble(value.number_value(), sink.text)) {
        sink.violations->Add(at, "is not a finite number, and JSON has no other");
      }
      return;
    case Value::kStringValue:
      WriteString(value.string_value(), at, sink);
      return;
    case Value::kStructValue:
      WriteStruct(value.struct_value(), at, sink, depth + 1);
      return;
    case Value::kListValue:
      if (depth >= kMaxJsonDepth) {
        sink.violations->Add(at, fmt::format("is nested deeper than {} levels", kMaxJsonDepth));
        return;
      }
      WriteList(value.list_value(), at, sink, depth + 1);
      return;
    case Value::KIND_NOT_SET:
      sink.violations->Add(at,
                           "has no value: must be null, a bool, number, string, object or list");
      return;
  }
}

}  // namespace msab
