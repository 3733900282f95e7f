#ifndef MSAB_CONTRACT_MESSAGE_PLAN_H_
#define MSAB_CONTRACT_MESSAGE_PLAN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/contract/field_rule.h"
#include "server/contract/payload_sink.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace msab {

// A message of the contract, its descriptor made into a flat list of steps that validate and write
// it in one pass. Immutable after Compile. Any thread.
class MessagePlan {
 public:
  enum class Kind : uint8_t { kBool, kInt32, kInt64, kDouble, kString, kMessage, kSpread };

  // One field.
  struct Step {
    const google::protobuf::FieldDescriptor* field = nullptr;
    Kind kind = Kind::kBool;
    bool repeated = false;
    std::string json_name;
    std::string key;        // as written: "user_id": with its quotes and colon
    uint64_t key_hash = 0;  // HashKey(json_name)
    FieldRule rule;
    std::unique_ptr<const MessagePlan> message;  // kMessage only
  };

  // Refuses (FAILED_PRECONDITION, naming message, field and fault) what can't be honoured: a type
  // that JSON or the contract has no place for, a singular scalar that isn't `optional`, a
  // json_name left implicit or used twice, a rule on a field that it doesn't fit.
  static absl::StatusOr<std::unique_ptr<const MessagePlan>> Compile(
      const google::protobuf::Descriptor& message);

  // Writes `message`, which must be of this plan's descriptor, as a JSON object, and adds every
  // violated rule. Without violations, and unless the sink is too_large, the text is valid.
  void Write(const google::protobuf::Message& message, const JsonPath* at, PayloadSink& sink) const;

  const google::protobuf::Descriptor& descriptor() const { return descriptor_; }
  const std::vector<Step>& steps() const { return steps_; }

  // The field that names the event's user or room; null if none does.
  const Step* naming() const { return naming_; }

 private:
  explicit MessagePlan(const google::protobuf::Descriptor& message) : descriptor_(message) {}

  absl::Status AddStep(const google::protobuf::FieldDescriptor& field,
                       std::vector<const google::protobuf::Descriptor*>& above);
  static absl::StatusOr<std::unique_ptr<const MessagePlan>> Compile(
      const google::protobuf::Descriptor& message,
      std::vector<const google::protobuf::Descriptor*>& above);

  // Constant after construction
  const google::protobuf::Descriptor& descriptor_;
  std::vector<Step> steps_;
  const Step* naming_ = nullptr;
};

// FNV-1a: the same on every node and in every life of the process.
constexpr uint64_t HashKey(std::string_view key) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

}  // namespace msab

#endif  // MSAB_CONTRACT_MESSAGE_PLAN_H_
