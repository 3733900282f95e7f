#include "server/rooms/chat.h"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "msab/v1/events.pb.h"
#include "server/base/ids.h"
#include "server/rooms/errors.h"

namespace msab {
namespace {

CommandResult SentAs(const std::string& id) { return absl::StrCat(R"({"id":")", id, "\"}"); }

// A claim as an id: Laravel's tokens write numbers as numbers or as text.
std::optional<int64_t> IdClaim(const boost::json::object& profile, std::string_view name) {
  const boost::json::value* claim = profile.if_contains(name);
  if (claim == nullptr) return std::nullopt;
  int64_t id = 0;
  if (const auto* text = claim->if_string()) {
    const auto [end, error] = std::from_chars(text->begin(), text->end(), id);
    if (error != std::errc() || end != text->end()) return std::nullopt;
  } else if (const auto* number = claim->if_int64()) {
    id = *number;
  }
  return id >= 1 && id <= kMaxUserId ? std::optional(id) : std::nullopt;
}

// A text claim, if its length is one that the event allows.
std::optional<std::string_view> TextClaim(const boost::json::object& profile, std::string_view name,
                                          size_t max_bytes) {
  const boost::json::value* claim = profile.if_contains(name);
  if (claim == nullptr || !claim->is_string()) return std::nullopt;
  const std::string_view text(claim->get_string());
  return !text.empty() && text.size() <= max_bytes ? std::optional(text) : std::nullopt;
}

// Who writes, from the claims of the sender's token. A claim that the event can't show is left
// out: nobody is kept from writing by a picture's odd address.
void SetSender(const Caller& caller, v1::ChatMessage& message) {
  message.set_user_id(caller.user());
  const boost::json::value profile = boost::json::parse(caller.profile());
  const boost::json::object& claims = profile.get_object();
  const auto name = TextClaim(claims, "name", 256);
  message.set_user_name(name ? std::string(*name) : absl::StrCat(caller.user()));
  if (const auto avatar = TextClaim(claims, "avatar", 2048)) {
    message.set_user_avatar(std::string(*avatar));
  }
  if (const auto frame = IdClaim(claims, "frame_id")) message.set_user_frame_id(*frame);
  if (const auto bubble = IdClaim(claims, "chat_bubble_id")) {
    message.set_user_chat_bubble_id(*bubble);
  }
}

}  // namespace

ChatSend::ChatSend(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher,
                   Options options)
    : catalog_(catalog),
      clock_(clock),
      dispatcher_(dispatcher),
      limit_(clock, options.per_minute),
      dedup_(clock, options.dedup) {}

void ChatSend::Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply) {
  if (!caller->InRoom(data.room_id())) return reply(NotInRoom(data.room_id()));
  // Claimed before the limit is asked: a repeat is answered even where a new message would not be.
  ChatDedup::Claim claim;
  if (data.has_client_id()) {
    ChatDedup::Verdict verdict =
        dedup_.Look(caller->user(), data.client_id(), caller->shard(), reply);
    if (verdict.waits) return;
    if (verdict.sent) return reply(SentAs(*verdict.sent));
    claim = std::move(verdict.first);
  }
  if (const int64_t wait = limit_.Take(caller->user(), data.room_id()); wait > 0) {
    const CommandResult limited =
        Refusal("RATE_LIMITED", "too many messages in this room: slow down", wait);
    if (claim) Settle(claim, std::nullopt, limited);
    return reply(limited);
  }
  const std::shared_ptr<Entry> entry = MakeEntry(*caller, data);
  std::string id = entry->event_id;
  dispatcher_.DispatchFrom(
      caller->shard(), entry,
      [this, claim = std::move(claim), id = std::move(id),
       reply = std::move(reply)](const absl::StatusOr<Dispatched>& outcome) mutable {
        const CommandResult result =
            outcome.ok() ? SentAs(id) : CommandResult(NotDispatched(outcome.status()));
        if (claim) Settle(claim, outcome.ok() ? std::optional(id) : std::nullopt, result);
        reply(result);
      });
}

std::shared_ptr<Entry> ChatSend::MakeEntry(const Caller& caller, const Data& data) const {
  const int64_t now = clock_.WallMillis();
  v1::ChatMessage message;
  message.set_id(NewEventId());
  message.set_room_id(data.room_id());
  SetSender(caller, message);
  message.set_content(data.content());
  message.set_type(data.has_type() ? data.type() : "text");
  message.set_timestamp(now);
  if (data.has_client_id()) message.set_client_id(data.client_id());
  std::shared_ptr<Entry> entry = catalog_.Make(message, Target::Room(data.room_id()), now);
  entry->event_id = message.id();
  return entry;
}

void ChatSend::Settle(const ChatDedup::Claim& claim, std::optional<std::string> id,
                      const CommandResult& result) {
  for (ChatDedup::Waiting& waiting : dedup_.Settle(claim, std::move(id))) {
    dispatcher_.Post(waiting.shard,
                     [reply = std::move(waiting.reply), result]() mutable { reply(result); });
  }
}

}  // namespace msab
