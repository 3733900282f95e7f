#ifndef MSAB_CONTRACT_JSON_SCHEMA_H_
#define MSAB_CONTRACT_JSON_SCHEMA_H_

#include <string>

#include "boost/json/object.hpp"
#include "server/contract/command_rules.h"
#include "server/contract/message_plan.h"
#include "server/contract/proto_comments.h"

namespace msab {

// Turns messages of the contract into JSON Schema, one schema a message, each once. Rules that JSON
// Schema has no word for stand as `x-…`. One thread at a time.
class JsonSchemas {
 public:
  // What the relay writes: every list is there.
  void AddWritten(const MessagePlan& plan);

  // What the relay reads from clients: a list may be absent, a room id may be a number.
  void AddCommand(const CommandRules::Command& command);

  // {"$ref": "#/components/schemas/…"}.
  static boost::json::object Reference(const MessagePlan& plan);

  // "RewardEarned.Reward": the message's name within its package.
  static std::string Name(const MessagePlan& plan);

  const ProtoComments& comments() const { return comments_; }
  boost::json::object Take() { return std::move(schemas_); }

 private:
  boost::json::object Message(const MessagePlan& plan, bool read);
  boost::json::object Field(const MessagePlan::Step& step, bool read);
  boost::json::object Value(const MessagePlan::Step& step, bool read);

  const ProtoComments comments_;
  boost::json::object schemas_;
};

}  // namespace msab

#endif  // MSAB_CONTRACT_JSON_SCHEMA_H_
