#include "server/contract/field_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "google/protobuf/descriptor.h"
#include "server/contract/audience.h"
#include "server/contract/json_text.h"

namespace msab {
namespace {

using google::protobuf::FieldDescriptor;

bool IsInteger(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_INT64;
}

bool IsString(const FieldDescriptor& field) { return field.type() == FieldDescriptor::TYPE_STRING; }

absl::Status Misfit(std::string_view fault) {
  return absl::FailedPreconditionError(std::string(fault));
}

// "1 to 256", "at least 1" or "at most 256".
std::string Range(uint32_t min, uint32_t max) {
  if (max == FieldRule::kUnbounded) return fmt::format("at least {}", min);
  if (min == 0) return fmt::format("at most {}", max);
  if (min == max) return fmt::format("exactly {}", min);
  return fmt::format("{} to {}", min, max);
}

std::string Quoted(const std::vector<std::string>& allowed) {
  return fmt::format("\"{}\"", fmt::join(allowed, "\", \""));
}

size_t SkipDigits(std::string_view text, size_t from) {
  while (from < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[from]))) ++from;
  return from;
}

absl::Status CheckFormat(const FieldDescriptor& field, v1::Format format) {
  switch (format) {
    case v1::FORMAT_UNSPECIFIED:
      return absl::OkStatus();
    case v1::FORMAT_ID:
    case v1::FORMAT_TIMESTAMP:
      if (field.type() == FieldDescriptor::TYPE_INT64) return absl::OkStatus();
      return Misfit(fmt::format("{} is for int64 fields", v1::Format_Name(format)));
    case v1::FORMAT_DECIMAL:
    case v1::FORMAT_ROOM_ID:
      if (IsString(field)) return absl::OkStatus();
      return Misfit(fmt::format("{} is for string fields", v1::Format_Name(format)));
    default:
      return Misfit("its format is not one of options.proto");
  }
}

absl::Status CheckLimits(const FieldDescriptor& field, const v1::FieldRules& said) {
  const bool lengths = said.has_min_bytes() || said.has_max_bytes() || said.has_min_characters() ||
                       said.has_max_characters();
  const bool range = said.has_min() || said.has_max();
  const bool items = said.has_min_items() || said.has_max_items();
  if (lengths && !IsString(field)) return Misfit("a length is for string fields");
  if (range && !IsInteger(field)) return Misfit("min and max are for int32 and int64 fields");
  if (items && !field.is_repeated()) {
    return Misfit("min_items and max_items are for repeated fields");
  }
  if (said.allowed_size() > 0 && !IsString(field)) return Misfit("allowed is for string fields");
  if (said.format() != v1::FORMAT_UNSPECIFIED && (lengths || range || said.allowed_size() > 0)) {
    return Misfit("a format and another rule on the value exclude each other");
  }
  return absl::OkStatus();
}

absl::Status CheckPresence(const FieldDescriptor& field, const v1::FieldRules& said) {
  if (said.required() && said.nullable()) {
    return Misfit("required and nullable exclude each other");
  }
  if ((said.required() || said.nullable()) && field.is_repeated()) {
    return Misfit("required and nullable are not for repeated fields, which are always there");
  }
  if (said.spread()) {
    const FieldDescriptor* value = field.is_map() ? field.message_type()->map_value() : nullptr;
    if (value == nullptr || value->message_type() == nullptr ||
        value->message_type()->full_name() != "google.protobuf.Value") {
      return Misfit("spread is for map<string, google.protobuf.Value>");
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsDecimal(std::string_view text) {
  const size_t first = text.starts_with('-') ? 1 : 0;
  const size_t point = SkipDigits(text, first);
  if (point == first || point - first > 30) return false;
  if (point == text.size()) return true;
  if (text[point] != '.') return false;
  const size_t end = SkipDigits(text, point + 1);
  return end == text.size() && end > point + 1 && end - point - 1 <= 8;
}

absl::StatusOr<FieldRule> FieldRule::Compile(const FieldDescriptor& field) {
  const v1::FieldRules& said = field.options().GetExtension(v1::field);
  for (const absl::Status& status :
       {CheckFormat(field, said.format()), CheckLimits(field, said), CheckPresence(field, said)}) {
    if (!status.ok()) return status;
  }
  FieldRule rule;
  rule.required = said.required();
  rule.nullable = said.nullable();
  rule.format = said.format();
  rule.allowed.assign(said.allowed().begin(), said.allowed().end());
  rule.min_bytes = said.min_bytes();
  if (said.has_max_bytes()) rule.max_bytes = said.max_bytes();
  rule.min_characters = said.min_characters();
  if (said.has_max_characters()) rule.max_characters = said.max_characters();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    rule.min = std::numeric_limits<int32_t>::min();
    rule.max = std::numeric_limits<int32_t>::max();
  }
  if (rule.format == v1::FORMAT_ID) rule.min = 1;
  if (rule.format == v1::FORMAT_TIMESTAMP) rule.min = 0;
  if (said.has_min()) rule.min = std::max(rule.min, said.min());
  if (said.has_max()) rule.max = std::min(rule.max, said.max());
  rule.min_items = said.min_items();
  if (said.has_max_items()) rule.max_items = said.max_items();
  rule.names = said.names();
  rule.spread = said.spread();
  rule.default_text = said.default_();
  if (rule.min_bytes > rule.max_bytes || rule.min_characters > rule.max_characters ||
      rule.min > rule.max || rule.min_items > rule.max_items) {
    return Misfit("a least is greater than its most");
  }
  if (!rule.default_text.empty()) {
    int64_t number = 0;
    if (field.is_repeated() || rule.required || rule.nullable ||
        !(IsString(field) || IsInteger(field))) {
      return Misfit("a default is for a single string or number that may be unset");
    }
    const bool fits = IsString(field) ? !rule.Problem(rule.default_text).has_value()
                                      : absl::SimpleAtoi(rule.default_text, &number) &&
                                            !rule.Problem(number).has_value();
    if (!fits) return Misfit("its default breaks its own rules");
  }
  return rule;
}

std::optional<std::string> FieldRule::Problem(std::string_view value) const {
  if (format == v1::FORMAT_DECIMAL) {
    if (IsDecimal(value)) return std::nullopt;
    return "is no decimal number: must be a string such as \"1500\" or \"-0.25\", with at most 30 "
           "digits and 8 decimals";
  }
  if (format == v1::FORMAT_ROOM_ID) {
    if (IsRoomId(value)) return std::nullopt;
    return "is no room id: must be 1 to 64 of A-Z a-z 0-9 _ : . -";
  }
  if (!allowed.empty()) {
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return std::nullopt;
    return fmt::format("must be one of {}", Quoted(allowed));
  }
  if (value.size() < min_bytes || value.size() > max_bytes) {
    if (value.empty()) return "is empty: must have " + Range(min_bytes, max_bytes) + " bytes";
    return fmt::format("has {} bytes: must have {}", value.size(), Range(min_bytes, max_bytes));
  }
  if (min_characters > 0 || max_characters != kUnbounded) {
    const std::optional<size_t> count = CountCharacters(value);
    if (!count) return "is not valid UTF-8";
    if (*count < min_characters || *count > max_characters) {
      return fmt::format("has {} characters: must have {}", *count,
                         Range(min_characters, max_characters));
    }
  }
  return std::nullopt;
}

std::optional<std::string> FieldRule::Problem(int64_t value) const {
  if (value >= min && value <= max) return std::nullopt;
  return fmt::format("is out of range: must be a whole number from {} to {}", min, max);
}

std::optional<std::string> FieldRule::ProblemWithSize(size_t items) const {
  if (items >= min_items && items <= max_items) return std::nullopt;
  return fmt::format("has {} items: must have {}", items, Range(min_items, max_items));
}

}  // namespace msab
