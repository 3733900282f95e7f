#include "server/rooms/gift.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "msab/v1/event_service.pb.h"
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

std::string AnswerOf(const Gift& gift, const GiftAccepted& accepted) {
  return boost::json::serialize(boost::json::object{
      {"transactionId", gift.transaction_id},
      {"acceptedRecipientIds",
       boost::json::array(accepted.recipients.begin(), accepted.recipients.end())}});
}

// The event for the room. Its id is the same however often the gift is sent, and the one that the
// application gives it if it emits the event itself.
v1::EmitEventRequest ReceivedOf(const Gift& gift, const GiftAccepted& accepted) {
  v1::EmitEventRequest request;
  request.set_event_id(absl::StrCat("gift:", gift.sender, ":", gift.transaction_id));
  request.set_except_connection_id(gift.connection_id);
  v1::GiftReceived& event = *request.mutable_gift_received();
  event.set_sender_id(gift.sender);
  event.set_room_id(gift.room);
  event.set_gift_id(gift.gift_id);
  for (const UserId id : accepted.recipients) event.add_recipient_ids(id);
  if (accepted.recipients.size() == 1) event.set_recipient_id(accepted.recipients.front());
  event.set_quantity(gift.quantity);
  if (!gift.batch_id.empty()) event.set_batch_id(gift.batch_id);
  event.set_transaction_id(gift.transaction_id);
  return request;
}

}  // namespace

GiftSend::GiftSend(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher,
                   EventIntake& intake, GiftGateway& gateway)
    : catalog_(catalog),
      clock_(clock),
      dispatcher_(dispatcher),
      intake_(intake),
      gateway_(gateway) {}

struct GiftSend::Pending {
  Gift gift;
  int shard = 0;
  CommandReply reply;  // until the answer is on its way
};

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
  gateway_.Submit(gift, [this, pending = Pending{gift, caller->shard(), std::move(reply)}](
                            GiftOutcome outcome) mutable {
    if (const auto* accepted = std::get_if<GiftAccepted>(&outcome)) {
      OnAccepted(pending, *accepted);
    } else {
      OnRefused(pending, std::get<GiftRefused>(std::move(outcome)));
    }
  });
}

void GiftSend::OnAccepted(Pending& pending, const GiftAccepted& accepted) {
  const Gift& gift = pending.gift;
  // What the sender is told does not hang on whether the room can be told.
  auto answer = [this, shard = pending.shard, reply = std::exchange(pending.reply, nullptr),
                 data = AnswerOf(gift, accepted)](const absl::Status& /*shown*/) mutable {
    if (!reply) return;  // late: it was answered before
    dispatcher_.Post(shard, [reply = std::move(reply), data = std::move(data)]() mutable {
      reply(std::move(data));
    });
  };
  if (accepted.recipients.empty()) return answer(absl::OkStatus());
  intake_.Take(ReceivedOf(gift, accepted), std::move(answer));
}

void GiftSend::OnRefused(Pending& pending, GiftRefused refused) {
  const Gift& gift = pending.gift;
  const bool decided = !refused.decision.empty();
  // For a client that left it to the relay: a repeat must carry the same one.
  boost::json::object details{{"transactionId", gift.transaction_id}};
  if (decided) {
    details["code"] = refused.decision;
    details["reason"] = refused.reason;
  }
  CommandError error{.code = refused.code,
                     .message = refused.reason.empty() ? "the gift was refused" : refused.reason,
                     .retry_after_ms = refused.retry_after_ms,
                     .details_json = boost::json::serialize(details)};
  auto answer = [reply = std::exchange(pending.reply, nullptr),
                 error = std::move(error)](const absl::StatusOr<Dispatched>& /*outcome*/) mutable {
    reply(std::move(error));
  };
  if (refused.code == "RATE_LIMITED") {
    // Never begun, so only who asked is concerned; events for everyone refused would add to the
    // load.
    return dispatcher_.Post(pending.shard,
                            [answer = std::move(answer)]() mutable { answer(Dispatched{}); });
  }
  v1::GiftError event;
  event.set_transaction_id(gift.transaction_id);
  event.set_code(decided ? refused.decision : std::string(refused.code));
  event.set_reason(std::move(refused.reason));
  if (!gift.batch_id.empty()) event.set_batch_id(gift.batch_id);
  // The answer says all that the event does, so it is the same if the event can't be had.
  dispatcher_.DispatchFrom(pending.shard,
                           catalog_.Make(event, Target::User(gift.sender), clock_.WallMillis()),
                           std::move(answer));
}

}  // namespace msab
