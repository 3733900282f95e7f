#ifndef MSAB_ROOMS_GIFT_H_
#define MSAB_ROOMS_GIFT_H_

#include <memory>
#include <vector>

#include "msab/v1/client.pb.h"
#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/dispatch/command_handler.h"
#include "server/dispatch/dispatcher.h"
#include "server/dispatch/event_intake.h"
#include "server/rooms/gift_gateway.h"

namespace msab {

// gift:send. Hands the gift to the gateway and tells what became of it. Given: the sending
// connection by its answer, and the rest of the room by gift:received, once, however often the gift
// is repeated or the application tells of it itself. Refused: the sending connection by its answer
// and all of the sender's by gift:error, because the one that sent it may be gone by then.
//
// Owned by Commands. Any thread.
class GiftSend {
 public:
  using Data = v1::GiftSendCommand;

  // All outlive this.
  GiftSend(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher, EventIntake& intake,
           GiftGateway& gateway);

  // What the field rules can't say: a recipient named twice.
  static void Check(const Data& data, std::vector<Violation>& violations);

  // Caller's shard thread.
  void Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply);

 private:
  // A gift whose outcome is to come, as it was handed to the gateway.
  struct Pending;

  void OnAccepted(Pending& pending, const GiftAccepted& accepted);
  void OnRefused(Pending& pending, GiftRefused refused);

  // Constant after construction
  const Catalog& catalog_;
  const Clock& clock_;
  Dispatcher& dispatcher_;
  EventIntake& intake_;
  GiftGateway& gateway_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_GIFT_H_
