#include "server/rooms/chat_dedup.h"

#include <algorithm>

namespace msab {

struct ChatDedup::Message {
  // Constant after construction
  UserId user;
  std::string client_id;
  int64_t claimed_at;  // steady ms

  // Under ChatDedup::mu_
  std::optional<std::string> event_id;  // once it was sent
  std::vector<Waiting> waiting;         // until then
};

ChatDedup::ChatDedup(const Clock& clock, Options options) : clock_(clock), options_(options) {}

ChatDedup::~ChatDedup() = default;

ChatDedup::Verdict ChatDedup::Look(UserId user, const std::string& client_id, int shard,
                                   CommandReply& reply) {
  const int64_t now = clock_.SteadyMillis();
  absl::MutexLock lock(&mu_);
  while (!order_.empty() && order_.front()->claimed_at + options_.window_ms <= now) {
    Forget(order_.begin());
  }
  Key key(user, client_id);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    Message& message = **known->second;
    if (message.event_id) return {.sent = message.event_id};
    message.waiting.push_back({shard, std::move(reply)});
    return {.waits = true};
  }
  if (order_.size() >= options_.max_messages) Forget(order_.begin());
  if (const auto mine = by_user_.find(user);
      mine != by_user_.end() && mine->second.size() >= options_.max_per_user) {
    Forget(mine->second.front());
  }
  auto message = std::make_shared<Message>(Message{user, client_id, now, {}, {}});
  const auto place = order_.insert(order_.end(), message);
  by_key_.emplace(std::move(key), place);
  by_user_[user].push_back(place);
  return {.first = std::move(message)};
}

std::vector<ChatDedup::Waiting> ChatDedup::Settle(const Claim& claim,
                                                  std::optional<std::string> event_id) {
  absl::MutexLock lock(&mu_);
  if (!event_id) {
    // A bound may have forgotten it meanwhile, and a repeat have taken its place.
    const auto known = by_key_.find(Key(claim->user, claim->client_id));
    if (known != by_key_.end() && *known->second == claim) Forget(known->second);
  }
  claim->event_id = std::move(event_id);
  return std::exchange(claim->waiting, {});
}

void ChatDedup::Forget(Order::iterator message) {
  const UserId user = (*message)->user;
  by_key_.erase(Key(user, (*message)->client_id));
  const auto mine = by_user_.find(user);
  mine->second.erase(std::find(mine->second.begin(), mine->second.end(), message));
  if (mine->second.empty()) by_user_.erase(mine);
  order_.erase(message);
}

size_t ChatDedup::size() const {
  absl::MutexLock lock(&mu_);
  return order_.size();
}

}  // namespace msab
