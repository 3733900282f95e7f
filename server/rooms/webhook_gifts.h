#ifndef MSAB_ROOMS_WEBHOOK_GIFTS_H_
#define MSAB_ROOMS_WEBHOOK_GIFTS_H_

#include "server/rooms/gift_gateway.h"
#include "server/upstream/webhook.h"

namespace msab {

// Gifts that the application decides on, asked over the webhook as `gift:send` commands.
//
// Owned by the composition root. Any thread.
class WebhookGifts final : public GiftGateway {
 public:
  // `webhook` outlives this.
  explicit WebhookGifts(Webhook& webhook) : webhook_(webhook) {}

  void Submit(Gift gift, Done done) override;

 private:
  Webhook& webhook_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_WEBHOOK_GIFTS_H_
