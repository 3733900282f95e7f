#include "server/rooms/webhook_gifts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"

namespace msab {
namespace {

std::string DataOf(const Gift& gift) {
  boost::json::object data{
      {"roomId", gift.room},
      {"giftId", gift.gift_id},
      {"recipientIds", boost::json::array(gift.recipients.begin(), gift.recipients.end())},
      {"quantity", gift.quantity},
      {"transactionId", gift.transaction_id}};
  if (!gift.batch_id.empty()) data["batchId"] = gift.batch_id;
  return boost::json::serialize(data);
}

// Those of `named` that the answer lists; all, where it has no such list.
std::vector<UserId> AcceptedOf(std::vector<UserId> named, const boost::json::object& data) {
  const boost::json::value* const list = data.if_contains("acceptedRecipientIds");
  if (list == nullptr || !list->is_array()) return named;
  const boost::json::array& accepted = list->get_array();
  std::erase_if(named, [&accepted](UserId id) {
    return std::none_of(accepted.begin(), accepted.end(), [id](const boost::json::value& one) {
      return one.is_int64() && one.get_int64() == id;
    });
  });
  return named;
}

GiftOutcome OutcomeOf(const std::vector<UserId>& recipients, WebhookResult result) {
  switch (result.kind) {
    case WebhookResult::Kind::kAccepted:
      return GiftAccepted{AcceptedOf(recipients, result.data)};
    case WebhookResult::Kind::kRejected:
      return GiftRefused{.code = "REJECTED",
                         .reason = std::move(result.reason),
                         .decision = std::move(result.code)};
    case WebhookResult::Kind::kUnavailable:
      return GiftRefused{.code = "UPSTREAM_UNAVAILABLE",
                         .reason =
                             "no word of this gift in time: send it again with the same "
                             "transactionId"};
    case WebhookResult::Kind::kOverloaded:
      return GiftRefused{.code = "RATE_LIMITED",
                         .reason = "too many gifts are under way: try again later",
                         .retry_after_ms = result.retry_after_ms};
    case WebhookResult::Kind::kFailed:
      break;
  }
  return GiftRefused{.code = "INTERNAL", .reason = "the application can't take this gift"};
}

}  // namespace

void WebhookGifts::Submit(Gift gift, Done done) {
  WebhookCommand command{.type = "gift:send",
                         .user = gift.sender,
                         .connection_id = gift.connection_id,
                         .data = DataOf(gift)};
  webhook_.Submit(std::move(command), [recipients = std::move(gift.recipients),
                                       done = std::move(done)](WebhookResult result) mutable {
    done(OutcomeOf(recipients, std::move(result)));
  });
}

}  // namespace msab
