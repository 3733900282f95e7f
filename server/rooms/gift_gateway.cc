#include "server/rooms/gift_gateway.h"

namespace msab {

void NoGiftGateway::Submit(Gift /*gift*/, Done done) {
  done(GiftRefused{.code = "UPSTREAM_UNAVAILABLE",
                   .reason = "gifts are not available: no application is connected"});
}

}  // namespace msab
