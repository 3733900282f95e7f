#include "server/rooms/room_authorizer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "server/contract/participant.h"
#include "server/rooms/errors.h"

namespace msab {
namespace {

// What a room's participants may be told of one of them: a token's profile is smaller, too.
constexpr size_t kMaxProfile = 8 * 1024;

RoomVerdict Refuse(CommandError error) { return {.refusal = std::move(error)}; }

RoomVerdict Forbid(const std::string& room) {
  return Refuse(Refusal("ROOM_FORBIDDEN", absl::StrCat("room ", room, " is not open to you")));
}

// `user` of the answer as others shall see it.
RoomVerdict AcceptedAs(UserId user, const boost::json::object& data) {
  const boost::json::value* const shown = data.if_contains("user");
  if (shown == nullptr || !shown->is_object()) return {};
  auto text = std::make_shared<const std::string>(ParticipantJson(user, shown->get_object()));
  if (text->size() > kMaxProfile) {
    return Refuse(Refusal("INTERNAL", "the application says too much about you"));
  }
  return {.profile = std::move(text)};
}

RoomVerdict VerdictOf(UserId user, const std::string& room, const WebhookResult& result) {
  switch (result.kind) {
    case WebhookResult::Kind::kAccepted:
      return AcceptedAs(user, result.data);
    case WebhookResult::Kind::kRejected: {
      RoomVerdict verdict = Forbid(room);
      if (!result.reason.empty()) verdict.refusal->message = result.reason;
      verdict.refusal->details_json = boost::json::serialize(
          boost::json::object{{"code", result.code}, {"reason", result.reason}});
      return verdict;
    }
    case WebhookResult::Kind::kUnavailable:
      return Refuse(Refusal("UPSTREAM_UNAVAILABLE", "nobody said in time whether you may"));
    case WebhookResult::Kind::kOverloaded:
      return Refuse(
          Refusal("RATE_LIMITED", "too many ask at once: try again later", result.retry_after_ms));
    case WebhookResult::Kind::kFailed:
      break;
  }
  return Refuse(Refusal("INTERNAL", "the application can't tell whether you may"));
}

}  // namespace

RoomAuthorizer::RoomAuthorizer(const Clock& clock, Webhook* webhook, Options options)
    : clock_(clock), webhook_(webhook), options_(options) {}

bool RoomAuthorizer::IsOpen(std::string_view room) const {
  return !options_.ask_always && !room.starts_with("private-") && !room.starts_with("presence-");
}

std::optional<RoomVerdict> RoomAuthorizer::Ask(UserId user, const std::string& connection_id,
                                               const std::string& room, Done done) {
  if (IsOpen(room)) return RoomVerdict{};
  if (webhook_ == nullptr) {
    counts_[kForbidden].Add();
    return Forbid(room);
  }
  Key key(user, room);
  {
    absl::MutexLock lock(&mu_);
    const auto known = remembered_.find(key);
    if (known != remembered_.end() && known->second.until > clock_.SteadyMillis()) {
      counts_[kRemembered].Add();
      return known->second.verdict;
    }
    std::vector<Done>& asking = asking_[key];
    asking.push_back(std::move(done));
    if (asking.size() > 1) return std::nullopt;
  }
  webhook_->Submit(
      {.type = "room:join",
       .user = user,
       .connection_id = connection_id,
       .data = boost::json::serialize(boost::json::object{{"roomId", room}})},
      [this, key = std::move(key)](const WebhookResult& result) { OnResult(key, result); });
  return std::nullopt;
}

void RoomAuthorizer::OnResult(const Key& key, const WebhookResult& result) {
  const auto& [user, room] = key;
  const RoomVerdict verdict = VerdictOf(user, room, result);
  std::vector<Done> asking;
  {
    absl::MutexLock lock(&mu_);
    if (!verdict.refusal) Remember(key, verdict);
    // Of a late yes only the memory is left to do: who asked has been answered, and whoever asks
    // now waits for a question of its own.
    if (const auto found = asking_.find(key); found != asking_.end() && !result.late) {
      asking = std::move(found->second);
      asking_.erase(found);
    }
  }
  const Answer answer = !verdict.refusal                                ? kAllowed
                        : result.kind == WebhookResult::Kind::kRejected ? kForbidden
                                                                        : kUnavailable;
  counts_[answer].Add();
  for (Done& done : asking) done(verdict);
}

void RoomAuthorizer::Remember(const Key& key, const RoomVerdict& verdict) {
  const int64_t now = clock_.SteadyMillis();
  const int64_t until = now + options_.remember_ms;
  remembered_[key] = {verdict, until};
  by_age_.emplace_back(until, key);
  while (!by_age_.empty() &&
         (by_age_.front().first <= now || remembered_.size() > options_.max_remembered)) {
    const auto oldest = remembered_.find(by_age_.front().second);
    if (oldest != remembered_.end() && oldest->second.until == by_age_.front().first) {
      remembered_.erase(oldest);
    }
    by_age_.pop_front();
  }
}

size_t RoomAuthorizer::remembered() const {
  absl::MutexLock lock(&mu_);
  return remembered_.size();
}

}  // namespace msab
