#ifndef MSAB_CONTRACT_COMMAND_RULES_H_
#define MSAB_CONTRACT_COMMAND_RULES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "boost/json/value.hpp"
#include "server/contract/message_plan.h"
#include "server/contract/violation.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class FileDescriptor;
class Message;
}  // namespace google::protobuf

namespace msab {

// What clients may ask for, from the descriptors of client.proto. Immutable after Create. Any
// thread.
class CommandRules {
 public:
  struct Command {
    std::string name;  // on the wire: "room:join"
    std::unique_ptr<const MessagePlan> data;
    std::unique_ptr<const MessagePlan> answer;
    // Exactly one of these is set; empty: no such rule.
    std::vector<const MessagePlan::Step*> exactly_one_of;
  };

  // Refuses (FAILED_PRECONDITION, naming message, field and fault) a declaration that it cannot
  // honour.
  static absl::StatusOr<std::unique_ptr<const CommandRules>> Create(
      const google::protobuf::FileDescriptor& file);

  // Reads a command's data into `out`, the command's message (v1::RoomJoinCommand, …), which is
  // cleared first. Empty: `out` obeys every rule and has the defaults of what was absent. Else
  // every violated rule. `null` is absent, undeclared keys are ignored, and a room id may be
  // written as a whole number.
  std::vector<Violation> Parse(const boost::json::value& data,
                               google::protobuf::Message* out) const;

  const std::vector<Command>& commands() const { return commands_; }

 private:
  CommandRules() = default;

  absl::Status Add(const google::protobuf::Descriptor& message);

  // Constant after construction
  std::vector<Command> commands_;
  absl::flat_hash_map<const google::protobuf::Descriptor*, size_t> by_message_;
};

}  // namespace msab

#endif  // MSAB_CONTRACT_COMMAND_RULES_H_
