#ifndef MSAB_CONTRACT_CATALOG_H_
#define MSAB_CONTRACT_CATALOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/contract/command_rules.h"
#include "server/contract/entry.h"
#include "server/contract/event_type.h"
#include "server/contract/violation.h"

namespace google::protobuf {
class Descriptor;
class FileDescriptor;
class Message;
}  // namespace google::protobuf

namespace msab {

namespace v1 {
class EmitEventRequest;
}  // namespace v1

// One [[custom_events]] of the configuration.
struct CustomEvent {
  std::string name;  // a trailing '*' matches any rest
  bool to_user = false;
  bool to_room = false;
  bool to_everyone = false;
  DeliveryClass delivery = DeliveryClass::kDurable;
};

// The contract: every event that may pass, from the descriptors in proto/ and the configuration.
// Immutable after Create. Any thread.
class Catalog {
 public:
  // Refuses (FAILED_PRECONDITION, naming message, field and fault) a declaration that it cannot
  // honour: a message without a wire name or audience, two of one name, a rule on a field it
  // doesn't fit, a oneof field whose name isn't the event's, a json_name left implicit, a custom
  // name that is reserved or in the catalog.
  static absl::StatusOr<std::unique_ptr<const Catalog>> Create(std::vector<CustomEvent> custom);

  // The same from given declarations: a request with a oneof `event`, and a file of commands. What
  // Create does with those of proto/; apart so that a test can declare amiss.
  static absl::StatusOr<std::unique_ptr<const Catalog>> CreateFrom(
      const google::protobuf::Descriptor& request, const google::protobuf::FileDescriptor& commands,
      std::vector<CustomEvent> custom);

  ~Catalog();

  // All types; a type's place is its `index`.
  const std::vector<const EventType*>& types() const;

  // The type that an event of this wire name has, a custom pattern included; null if none.
  const EventType* Find(std::string_view name) const;

  // The clients' commands and their rules.
  const CommandRules& commands() const;

  // Either an entry, validated, encoded and addressed, or every violated rule. `now` is wall ms.
  // The entry's event_id is minted where the request has none.
  struct Prepared {
    std::shared_ptr<Entry> entry;
    std::vector<Violation> violations;
  };
  Prepared Prepare(const v1::EmitEventRequest& request, int64_t now) const;

  // An entry for an event that the relay itself makes (chat:message, gift:error, …). The payload
  // must satisfy the contract: dies otherwise, in every build.
  std::shared_ptr<Entry> Make(const google::protobuf::Message& payload, Target target,
                              int64_t now) const;

  // The same from ready JSON, for room:userJoined and room:userLeft whose `user` is kept encoded.
  // The payload is taken as it is. Dies if no event has this name.
  std::shared_ptr<Entry> MakeEncoded(std::string_view name, std::string payload, Target target,
                                     int64_t now) const;

  // What --print-contract prints: an AsyncAPI 3 document in JSON.
  std::string PrintContract() const;

  // sha256 (first 16 hex digits) over the contract's content: info.version of the document.
  const std::string& version() const;

 private:
  struct Impl;
  explicit Catalog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab

#endif  // MSAB_CONTRACT_CATALOG_H_
