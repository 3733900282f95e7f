#include "server/contract/command_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/string.hpp"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "msab/v1/options.pb.h"

namespace msab {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Kind = MessagePlan::Kind;
using Step = MessagePlan::Step;

absl::Status Refuse(const Descriptor& message, std::string_view fault) {
  return absl::FailedPreconditionError(fmt::format("{}: {}", message.full_name(), fault));
}

// The whole number that `value` is: 7, and 7.0 too.
std::optional<int64_t> WholeNumber(const boost::json::value& value) {
  if (const int64_t* number = value.if_int64()) return *number;
  if (const uint64_t* number = value.if_uint64()) {
    if (*number <= static_cast<uint64_t>(kMaxJsonInt)) return static_cast<int64_t>(*number);
  }
  if (const double* number = value.if_double()) {
    if (std::trunc(*number) == *number && std::abs(*number) <= kMaxJsonInt) {
      return static_cast<int64_t>(*number);
    }
  }
  return std::nullopt;
}

void ReadMessage(const MessagePlan& plan, const boost::json::value& value, const JsonPath* at,
                 Message* out, Violations& violations);

// Sets the field, or, of a list, adds an item to it.
void ReadOne(const Step& step, const boost::json::value& value, const JsonPath& at, Message* out,
             Violations& violations) {
  const Reflection& reflection = *out->GetReflection();
  switch (step.kind) {
    case Kind::kBool: {
      const bool* flag = value.if_bool();
      if (flag == nullptr) return violations.Add(at, "must be true or false");
      step.repeated ? reflection.AddBool(out, step.field, *flag)
                    : reflection.SetBool(out, step.field, *flag);
      return;
    }
    case Kind::kInt32:
    case Kind::kInt64: {
      const std::optional<int64_t> number = WholeNumber(value);
      if (!number) {
        return violations.Add(
            at, fmt::format("must be a whole number from {} to {}", step.rule.min, step.rule.max));
      }
      if (std::optional<std::string> problem = step.rule.Problem(*number)) {
        return violations.Add(at, *std::move(problem));
      }
      if (step.kind == Kind::kInt32) {
        const auto narrow = static_cast<int32_t>(*number);  // the rule's range is within int32
        step.repeated ? reflection.AddInt32(out, step.field, narrow)
                      : reflection.SetInt32(out, step.field, narrow);
      } else {
        step.repeated ? reflection.AddInt64(out, step.field, *number)
                      : reflection.SetInt64(out, step.field, *number);
      }
      return;
    }
    case Kind::kDouble: {
      if (!value.is_number()) return violations.Add(at, "must be a number");
      const auto number = value.to_number<double>();
      step.repeated ? reflection.AddDouble(out, step.field, number)
                    : reflection.SetDouble(out, step.field, number);
      return;
    }
    case Kind::kString: {
      std::string text;
      if (const boost::json::string* string = value.if_string()) {
        text.assign(string->data(), string->size());
      } else if (const auto number = WholeNumber(value);
                 number && step.rule.format == v1::FORMAT_ROOM_ID) {
        text = fmt::format("{}", *number);
      } else {
        return violations.Add(at, step.rule.format == v1::FORMAT_ROOM_ID
                                      ? "must be a string or a whole number"
                                      : "must be a string");
      }
      if (std::optional<std::string> problem = step.rule.Problem(text)) {
        return violations.Add(at, *std::move(problem));
      }
      step.repeated ? reflection.AddString(out, step.field, std::move(text))
                    : reflection.SetString(out, step.field, std::move(text));
      return;
    }
    case Kind::kMessage:
      return ReadMessage(*step.message, value, &at,
                         step.repeated ? reflection.AddMessage(out, step.field)
                                       : reflection.MutableMessage(out, step.field),
                         violations);
    case Kind::kSpread:
      return;  // Create lets none in
  }
}

void ReadList(const Step& step, const boost::json::value& value, const JsonPath& at, Message* out,
              Violations& violations) {
  const boost::json::array* items = value.if_array();
  if (items == nullptr) return violations.Add(at, "must be a list");
  if (std::optional<std::string> problem = step.rule.ProblemWithSize(items->size())) {
    violations.Add(at, *std::move(problem));
  }
  int index = 0;
  for (const boost::json::value& item : *items) {
    ReadOne(step, item, {&at, {}, index++}, out, violations);
  }
}

void SetDefault(const Step& step, Message* out) {
  const Reflection& reflection = *out->GetReflection();
  const std::string& text = step.rule.default_text;
  int64_t number = 0;
  switch (step.kind) {
    case Kind::kString:
      return reflection.SetString(out, step.field, text);
    case Kind::kInt32:
      if (absl::SimpleAtoi(text, &number)) {
        reflection.SetInt32(out, step.field, static_cast<int32_t>(number));
      }
      return;
    case Kind::kInt64:
      if (absl::SimpleAtoi(text, &number)) reflection.SetInt64(out, step.field, number);
      return;
    default:
      return;  // FieldRule::Compile lets no other have a default
  }
}

void ReadMessage(const MessagePlan& plan, const boost::json::value& value, const JsonPath* at,
                 Message* out, Violations& violations) {
  const boost::json::object* object = value.if_object();
  if (object == nullptr) {
    return violations.Add(at == nullptr ? JsonPath{nullptr, "data"} : *at, "must be an object");
  }
  for (const Step& step : plan.steps()) {
    const JsonPath path{at, step.json_name};
    const boost::json::value* member = object->if_contains(step.json_name);
    if (member != nullptr && !member->is_null()) {
      step.repeated ? ReadList(step, *member, path, out, violations)
                    : ReadOne(step, *member, path, out, violations);
    } else if (step.rule.required) {
      violations.Add(path, "is required");
    } else if (!step.rule.default_text.empty()) {
      SetDefault(step, out);
    }
  }
}

bool IsSet(const boost::json::object& data, const Step& step) {
  const boost::json::value* member = data.if_contains(step.json_name);
  return member != nullptr && !member->is_null();
}

bool HasSpread(const MessagePlan& plan) {
  return std::any_of(plan.steps().begin(), plan.steps().end(), [](const Step& step) {
    return step.kind == Kind::kSpread || (step.message != nullptr && HasSpread(*step.message));
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<const CommandRules>> CommandRules::Create(
    const google::protobuf::FileDescriptor& file) {
  auto rules = std::unique_ptr<CommandRules>(new CommandRules);
  for (int i = 0; i < file.message_type_count(); ++i) {
    const Descriptor& message = *file.message_type(i);
    if (!message.options().HasExtension(v1::command)) continue;
    if (absl::Status status = rules->Add(message); !status.ok()) return status;
  }
  return rules;
}

absl::Status CommandRules::Add(const Descriptor& message) {
  const v1::CommandOptions& said = message.options().GetExtension(v1::command);
  Command command;
  command.name = said.name();
  if (command.name.empty()) return Refuse(message, "its command has no name");
  for (const Command& other : commands_) {
    if (other.name == command.name) {
      return Refuse(message, fmt::format("{} is also {}", command.name,
                                         other.data->descriptor().full_name()));
    }
  }
  auto data = MessagePlan::Compile(message);
  if (!data.ok()) return data.status();
  command.data = *std::move(data);
  if (command.data->naming() != nullptr) return Refuse(message, "names is for events");
  if (HasSpread(*command.data)) return Refuse(message, "spread is for what the relay writes");

  const Descriptor* answer = message.file()->FindMessageTypeByName(said.answer());
  if (answer == nullptr) {
    return Refuse(message, fmt::format("its answer \"{}\" is no message of {}", said.answer(),
                                       message.file()->name()));
  }
  auto answer_plan = MessagePlan::Compile(*answer);
  if (!answer_plan.ok()) return answer_plan.status();
  command.answer = *std::move(answer_plan);

  for (const std::string& name : said.exactly_one_of()) {
    const auto& steps = command.data->steps();
    const auto step = std::find_if(steps.begin(), steps.end(), [&name](const Step& candidate) {
      return candidate.field->name() == name;
    });
    // A list that may be absent has min_items all the same: the rule is for when it is there.
    if (step == steps.end() || step->rule.required || !step->rule.default_text.empty()) {
      return Refuse(message,
                    fmt::format("exactly_one_of: \"{}\" is no field that may be absent", name));
    }
    command.exactly_one_of.push_back(&*step);
  }
  by_message_.emplace(&message, commands_.size());
  commands_.push_back(std::move(command));
  return absl::OkStatus();
}

std::vector<Violation> CommandRules::Parse(const boost::json::value& data, Message* out) const {
  const Command& command = commands_[by_message_.at(out->GetDescriptor())];
  out->Clear();
  Violations violations;
  ReadMessage(*command.data, data, nullptr, out, violations);
  if (!command.exactly_one_of.empty() && data.is_object()) {
    const auto set =
        std::count_if(command.exactly_one_of.begin(), command.exactly_one_of.end(),
                      [&data](const Step* step) { return IsSet(data.get_object(), *step); });
    if (set != 1) {
      std::vector<std::string_view> names;
      for (const Step* step : command.exactly_one_of) names.push_back(step->json_name);
      violations.Add(
          std::string(names.front()),
          fmt::format("{}: exactly one of {} must be there",
                      set == 0 ? "is required" : "is one too many", fmt::join(names, ", ")));
    }
  }
  return violations.Take();
}

}  // namespace msab
