#ifndef MSAB_ROOMS_GIFT_H_
#define MSAB_ROOMS_GIFT_H_

#include <memory>
#include <vector>

#include "msab/v1/client.pb.h"
#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/dispatch/command_handler.h"
#include "server/dispatch/dispatcher.h"
#include "server/rooms/gift_gateway.h"

namespace msab {

// gift:send. Hands the gift to the gateway and tells the sender what became of it: the sending
// connection by its answer and, where the gift was refused, all of the sender's connections by
// gift:error, because the one that sent it may be gone by then.
//
// Owned by Commands. Any thread.
class GiftSend {
 public:
  using Data = v1::GiftSendCommand;

  // All outlive this.
  GiftSend(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher,
           GiftGateway& gateway);

  // What the field rules can't say: a recipient named twice.
  static void Check(const Data& data, std::vector<Violation>& violations);

  // Caller's shard thread.
  void Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply);

 private:
  // Constant after construction
  const Catalog& catalog_;
  const Clock& clock_;
  Dispatcher& dispatcher_;
  GiftGateway& gateway_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_GIFT_H_
