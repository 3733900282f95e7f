#include "server/ingress/json_request.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"
#include "server/contract/json_parse.h"
#include "server/contract/violation.h"
#include "server/ingress/refusal.h"

namespace msab {
namespace {

namespace json = google::protobuf::util;

// Deeper than a payload may be, with all that is around it.
constexpr size_t kMaxBatchDepth = 64;

// Protobuf's reader says what it wants by a type's name.
struct Wanted {
  std::string_view type;
  std::string_view description;
};
constexpr Wanted kWanted[] = {
    {"TYPE_STRING", "must be a string"},
    {"TYPE_INT64", "must be a whole number"},
    {"TYPE_INT32", "must be a whole number, of 32 bits at most"},
    {"TYPE_BOOL", "must be true or false"},
    {"TYPE_DOUBLE", "must be a number"},
    {"type.googleapis.com/google.protobuf.Duration", R"(must be a duration such as "1.5s")"},
    {"type.googleapis.com/google.protobuf.Timestamp",
     R"(must be a time such as "2026-01-01T00:00:00Z")"},
};

std::string Joined(std::string_view path, std::string_view name) {
  return absl::StrCat(std::string(path), path.empty() || name.empty() ? "" : ".",
                      std::string(name));
}

// What stands behind `left` and before the next quote; nothing if there is no `left`.
std::string_view Quoted(std::string_view text, std::string_view left) {
  const size_t begin = text.find(left);
  if (begin == text.npos) return {};
  text.remove_prefix(begin + left.size());
  return text.substr(0, text.find('\''));
}

// The value at `path` is none for `type`.
Violation Misfit(std::string_view path, std::string_view value, std::string_view type) {
  if (value == "Starting an object on a scalar field") {
    return {Joined(path, type), "must not be an object"};
  }
  if (type == "oneof") {
    // "oneof field 'event' is already set. Cannot set 'reward_earned'". A field that may be absent
    // is one, too, by its own name.
    const std::string_view choice = Quoted(value, "oneof field '");
    const std::string_view name = Quoted(value, "Cannot set '");
    if (choice.starts_with('_')) return {Joined(path, name), "is there twice"};
    return {Joined(path, choice == "event" ? choice : ""),
            absl::StrCat("must be one thing only: ", std::string(name), " is one too many")};
  }
  const auto wanted = std::find_if(std::begin(kWanted), std::end(kWanted),
                                   [type](const Wanted& known) { return known.type == type; });
  return {std::string(path),
          wanted != std::end(kWanted) ? std::string(wanted->description) : "must be an object"};
}

// A payload's paths begin in the payload, as those of its violations do.
void LeaveOutEvent(std::string& path) {
  const size_t dot = path.find('.');
  if (dot == std::string::npos) return;
  const std::string name = path.substr(0, dot);
  const auto& choice = *v1::EmitEventRequest::descriptor()->FindOneofByName("event");
  for (int i = 0; i < choice.field_count(); ++i) {
    const auto& field = *choice.field(i);
    if (field.number() == v1::EmitEventRequest::kCustomFieldNumber) continue;
    if (name != field.name() && name != field.json_name()) continue;
    path.erase(0, dot + 1);
    return;
  }
}

// What Protobuf's reader found, taken apart. Its messages are
//   "(reward_earned.reward): invalid value … for type …",
//   "(reward_earned.reward) idd: Cannot find field.",
//   "Expected : between key:value pair.\n<excerpt>" where it is no JSON,
// without the part in parentheses at the top. `root` names what was read.
Violation FaultOf(std::string_view message, std::string_view root) {
  constexpr std::string_view kUnknown = ": Cannot find field.";
  constexpr std::string_view kList = ": Proto field is not repeating, cannot start list.";
  constexpr std::string_view kInvalid = ": invalid value ";
  constexpr std::string_view kType = " for type ";
  message = message.substr(0, message.find('\n'));
  std::string_view path;
  std::string_view rest = message;
  if (message.starts_with('(') && message.find(')') != message.npos) {
    path = message.substr(1, message.find(')') - 1);
    rest = message.substr(path.size() + 2);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  Violation fault;
  if (rest.ends_with(kUnknown)) {
    fault = {Joined(path, rest.substr(0, rest.size() - kUnknown.size())), "is not known here"};
  } else if (rest.ends_with(kList)) {
    fault = {Joined(path, rest.substr(0, rest.size() - kList.size())), "must not be a list"};
  } else if (const size_t type = rest.rfind(kType);
             rest.starts_with(kInvalid) && type != rest.npos) {
    const std::string_view value = rest.substr(kInvalid.size(), type - kInvalid.size());
    fault = Misfit(path, value, rest.substr(type + kType.size()));
  } else if (rest == ": Root element must be a message.") {
    fault = {"", "must be an object"};
  } else {
    fault = {"", absl::StrCat("is not the JSON of the request: ", std::string(message))};
  }
  LeaveOutEvent(fault.field);
  if (fault.field.empty()) fault.field = root;
  return fault;
}

// False, with the refusal, if `body` is not the JSON of the message.
bool Read(const std::string& body, std::string_view root, google::protobuf::Message& message,
          google::rpc::Status& refusal) {
  const auto status = json::JsonStringToMessage(body, &message, json::JsonParseOptions());
  if (status.ok()) return true;
  const Violation fault = FaultOf({status.message().data(), status.message().size()}, root);
  refusal = RefuseInvalid({&fault, 1});
  return false;
}

// The batch's items; null, with the refusal, if the body has no such list, or more in it.
const boost::json::array* FindItems(const boost::json::value& body, google::rpc::Status& refusal) {
  static const auto* const none = new boost::json::array();
  std::vector<Violation> faults;
  const boost::json::array* items = none;
  if (const boost::json::object* const object = body.if_object(); object == nullptr) {
    faults.push_back({"body", "must be an object"});
  } else {
    for (const auto& [key, value] : *object) {
      if (key != "events") {
        faults.push_back({std::string(key), "is not known here"});
      } else if (!value.is_null()) {
        items = value.if_array();
        if (items == nullptr) faults.push_back({"events", "must be a list"});
      }
    }
  }
  if (faults.empty()) return items;
  refusal = RefuseInvalid(faults);
  return nullptr;
}

}  // namespace

std::optional<v1::EmitEventRequest> ReadEmit(const std::string& body,
                                             google::rpc::Status& refusal) {
  std::optional<v1::EmitEventRequest> request(std::in_place);
  if (!Read(body, "body", *request, refusal)) request.reset();
  return request;
}

std::optional<BatchBody> ReadBatch(const std::string& body, google::rpc::Status& refusal) {
  // Protobuf's reader stops at the first fault, and leaves out an item that is null: it can't tell
  // which items there were.
  boost::system::error_code error;
  const boost::json::value parsed = ParseJson(body, error, kMaxBatchDepth);
  if (error) {
    const Violation fault{"body", absl::StrCat("is not JSON: ", error.message())};
    refusal = RefuseInvalid({&fault, 1});
    return std::nullopt;
  }
  const boost::json::array* const items = FindItems(parsed, refusal);
  if (items == nullptr || !EmitBatch::Fits(items->size(), refusal)) return std::nullopt;

  BatchBody batch;
  const bool objects =
      std::all_of(items->begin(), items->end(), [](const auto& item) { return item.is_object(); });
  google::rpc::Status unread;
  if (objects && Read(body, "body", batch.request, unread) &&
      batch.request.events_size() == static_cast<int>(items->size())) {
    return batch;
  }

  // The rare case: one by one.
  batch.request.Clear();
  for (size_t i = 0; i < items->size(); ++i) {
    v1::EmitEventRequest& item = *batch.request.add_events();
    google::rpc::Status fault;
    if (Read(boost::json::serialize((*items)[i]), absl::StrCat("events[", i, "]"), item, fault)) {
      continue;
    }
    item.Clear();
    batch.faults.emplace(static_cast<int>(i), std::move(fault));
  }
  return batch;
}

}  // namespace msab
