#ifndef MSAB_ROOMS_GIFT_GATEWAY_H_
#define MSAB_ROOMS_GIFT_GATEWAY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "server/contract/audience.h"

namespace msab {

// A gift that a client wants to give: checked against the contract, its sender in the room.
struct Gift {
  UserId sender = 0;
  std::string connection_id;  // the sending connection
  std::string room;
  int64_t gift_id = 0;
  std::vector<UserId> recipients;  // 1–30, distinct
  int32_t quantity = 1;
  std::string batch_id;        // empty: none
  std::string transaction_id;  // the client's or minted; with the sender the idempotency key
};

// Why a gift was not given.
struct GiftRefused {
  std::string_view code;  // of the reply and of gift:error; a literal
  std::string reason;     // for people
};

// Where gifts are decided on. The relay never does so itself: it owns no balances.
// Any thread.
class GiftGateway {
 public:
  using Done = absl::AnyInvocable<void(GiftRefused)>;

  virtual ~GiftGateway() = default;

  // `done` runs exactly once, on this thread before Submit returns or on another later.
  virtual void Submit(Gift gift, Done done) = 0;
};

// The gateway where no application is configured to decide: gives no gift. Any thread.
class NoGiftGateway final : public GiftGateway {
 public:
  void Submit(Gift gift, Done done) override;
};

}  // namespace msab

#endif  // MSAB_ROOMS_GIFT_GATEWAY_H_
