#ifndef MSAB_ROOMS_GIFT_GATEWAY_H_
#define MSAB_ROOMS_GIFT_GATEWAY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
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

// The gift was given.
struct GiftAccepted {
  std::vector<UserId> recipients;  // those of the gift's who got it, in its order
};

// Why a gift was not given, or not known to be.
struct GiftRefused {
  std::string_view code;       // of the reply; a literal of the contract page
  std::string reason;          // for people
  std::string decision = {};   // code REJECTED: the application's own code, [A-Z0-9_]{1,64}
  int64_t retry_after_ms = 0;  // 0: not told
};

using GiftOutcome = std::variant<GiftAccepted, GiftRefused>;

// Where gifts are decided on. The relay never does so itself: it owns no balances.
// Any thread.
class GiftGateway {
 public:
  using Done = absl::AnyInvocable<void(GiftOutcome)>;

  virtual ~GiftGateway() = default;

  // `done` runs once, on this thread before Submit returns or on another later. It runs a second
  // time, with a GiftAccepted, where the first was UPSTREAM_UNAVAILABLE and the gift was given
  // after all.
  virtual void Submit(Gift gift, Done done) = 0;
};

// The gateway where no application is configured to decide: gives no gift. Any thread.
class NoGiftGateway final : public GiftGateway {
 public:
  void Submit(Gift gift, Done done) override;
};

}  // namespace msab

#endif  // MSAB_ROOMS_GIFT_GATEWAY_H_
