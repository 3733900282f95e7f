#include "server/rooms/gift_gateway.h"

namespace msab {

void NoGiftGateway::Submit(Gift /*gift*/, Done done) {
  done({"UPSTREAM_UNAVAILABLE", "gifts are not available: no application is connected"});
}

}  // namespace msab
