#include "server/rooms/gift.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "msab/v1/events.pb.h"
#include "server/base/ids.h"
#include "server/rooms/errors.h"

namespace msab {
namespace {

Gift GiftOf(const Caller& caller, const GiftSend::Data& data) {
  Gift gift{.sender = caller.user(),
            .connection_id = caller.connection_id(),
            .room = data.room_id(),
            .gift_id = data.gift_id(),
            .recipients = {data.recipient_ids().begin(), data.recipient_ids().end()},
            .quantity = data.has_quantity() ? data.quantity() : 1,
            .batch_id = data.batch_id(),
            .transaction_id = data.has_transaction_id() ? data.transaction_id() : NewEventId()};
  if (data.has_recipient_id()) gift.recipients.push_back(data.recipient_id());
  return gift;
}

}  // namespace

GiftSend::GiftSend(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher,
                   GiftGateway& gateway)
    : catalog_(catalog), clock_(clock), dispatcher_(dispatcher), gateway_(gateway) {}

void GiftSend::Check(const Data& data, std::vector<Violation>& violations) {
  absl::flat_hash_map<int64_t, int> places;
  for (int i = 0; i < data.recipient_ids_size(); ++i) {
    const auto [place, fresh] = places.emplace(data.recipient_ids(i), i);
    if (fresh) continue;
    violations.push_back({absl::StrCat("recipientIds[", i, "]"),
                          absl::StrCat("is the same as recipientIds[", place->second,
                                       "]; name each recipient once")});
    return;
  }
}

void GiftSend::Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply) {
  if (!caller->InRoom(data.room_id())) return reply(NotInRoom(data.room_id()));
  Gift gift = GiftOf(*caller, data);
  auto refused = [this, shard = caller->shard(), sender = gift.sender, batch = gift.batch_id,
                  transaction = gift.transaction_id,
                  reply = std::move(reply)](GiftRefused why) mutable {
    v1::GiftError event;
    event.set_transaction_id(transaction);
    event.set_code(std::string(why.code));
    event.set_reason(why.reason);
    if (!batch.empty()) event.set_batch_id(batch);
    CommandError error{.code = why.code,
                       .message = std::move(why.reason),
                       // For a client that left it to the relay: a repeat must carry the same one.
                       .details_json = boost::json::serialize(
                           boost::json::object{{"transactionId", transaction}})};
    // The answer says all that the event does, so it is the same if the event can't be had.
    dispatcher_.DispatchFrom(
        shard, catalog_.Make(event, Target::User(sender), clock_.WallMillis()),
        [reply = std::move(reply), error = std::move(error)](
            const absl::StatusOr<Dispatched>& /*outcome*/) mutable { reply(std::move(error)); });
  };
  gateway_.Submit(std::move(gift), std::move(refused));
}

}  // namespace msab
