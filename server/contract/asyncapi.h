#ifndef MSAB_CONTRACT_ASYNCAPI_H_
#define MSAB_CONTRACT_ASYNCAPI_H_

#include <string>
#include <vector>

#include "server/contract/command_rules.h"
#include "server/contract/event_type.h"
#include "server/contract/message_plan.h"

namespace msab {

// An event as the document shows it.
struct DescribedEvent {
  const EventType* type = nullptr;
  const MessagePlan* plan = nullptr;  // null for custom events: any object
  std::string emit_field;             // its field in EmitEventRequest.event
  int emit_number = 0;                // that field's number
};

// The contract as an AsyncAPI 3 document, in JSON, indented: for generators, for people, and for
// the gate that finds breaking changes.
struct ContractDocument {
  std::string json;
  std::string version;  // its info.version: 16 hex digits of the sha256 over all the rest
};

ContractDocument DescribeContract(const std::vector<DescribedEvent>& events,
                                  const CommandRules& commands);

}  // namespace msab

#endif  // MSAB_CONTRACT_ASYNCAPI_H_
