#ifndef MSAB_UPSTREAM_WEBHOOK_H_
#define MSAB_UPSTREAM_WEBHOOK_H_

#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "boost/json/object.hpp"

namespace msab {

// Something that a client asks for and the application decides on. A plain value.
struct WebhookCommand {
  std::string type;           // as on the wire: "gift:send"
  int64_t user = 0;           // of the session, never of the client's data
  std::string connection_id;  // the asking connection's
  std::string data;           // one JSON object, as text
};

// What became of it.
struct WebhookResult {
  enum class Kind {
    kAccepted,     // the application has committed it; `data`
    kRejected,     // it has decided against it; `code`, `reason`
    kUnavailable,  // not known: it could not be asked, or did not answer in time
    kFailed,       // it does not understand the command, even alone: a fault of ours or of its
    kOverloaded,   // never asked: too many commands wait; `retry_after_ms`
  };

  Kind kind = Kind::kUnavailable;
  bool late = false;              // kAccepted: after kUnavailable had been said
  boost::json::object data = {};  // kAccepted: the answer's; empty if it had none
  std::string code = {};          // kRejected: [A-Z0-9_]{1,64}
  std::string reason = {};        // kRejected: at most 200 characters
  int64_t retry_after_ms = 0;     // kOverloaded
};

// Asks the application. Any thread.
class Webhook {
 public:
  // Runs once with the outcome. A second time, with a late kAccepted, only where the first was
  // kUnavailable and the answer came after all. On this thread before Submit returns, or on the
  // webhook's own, one after another.
  using Done = absl::AnyInvocable<void(WebhookResult)>;

  virtual ~Webhook() = default;

  // One user's commands are decided on in the order of their submission.
  virtual void Submit(WebhookCommand command, Done done) = 0;
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_WEBHOOK_H_
