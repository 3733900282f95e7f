#include "server/rooms/pending_joins.h"

#include <algorithm>

namespace msab {

void PendingJoins::InTurn(const Caller& caller, const std::string& room, CommandReply reply,
                          Action action) {
  {
    absl::MutexLock lock(&mu_);
    if (Room* busy = Find(caller, room)) {
      busy->waiting.push_back({std::move(reply), std::move(action)});
      return;
    }
  }
  action(std::move(reply));
}

void PendingJoins::Begin(const Caller& caller, const std::string& room) {
  const bool entering = !caller.InRoom(room);
  absl::MutexLock lock(&mu_);
  Room& joined = callers_[&caller][room];
  joined.joining = true;
  joined.entering = entering;
}

void PendingJoins::Settle(const Caller& caller, const std::string& room) {
  {
    absl::MutexLock lock(&mu_);
    Find(caller, room)->joining = false;
  }
  for (;;) {
    Command next;
    {
      absl::MutexLock lock(&mu_);
      Room* settled = Find(caller, room);
      // Another join of those that waited has begun: the rest waits for that one.
      if (settled == nullptr || settled->joining) return;
      if (settled->waiting.empty()) return Erase(caller, room);
      next = std::move(settled->waiting.front());
      settled->waiting.pop_front();
    }
    next.action(std::move(next.reply));
  }
}

void PendingJoins::Abandon(const Caller& caller, const std::string& room,
                           const CommandError& error) {
  std::deque<Command> waiting;
  {
    absl::MutexLock lock(&mu_);
    waiting = std::move(Find(caller, room)->waiting);
    Erase(caller, room);
  }
  for (Command& command : waiting) command.reply(error);
}

size_t PendingJoins::EnteringCount(const Caller& caller) const {
  absl::MutexLock lock(&mu_);
  const auto rooms = callers_.find(&caller);
  if (rooms == callers_.end()) return 0;
  return std::count_if(rooms->second.begin(), rooms->second.end(), [](const auto& room) {
    return room.second.joining && room.second.entering;
  });
}

PendingJoins::Room* PendingJoins::Find(const Caller& caller, const std::string& room) {
  const auto rooms = callers_.find(&caller);
  if (rooms == callers_.end()) return nullptr;
  const auto found = rooms->second.find(room);
  return found == rooms->second.end() ? nullptr : &found->second;
}

void PendingJoins::Erase(const Caller& caller, const std::string& room) {
  const auto rooms = callers_.find(&caller);
  rooms->second.erase(room);
  if (rooms->second.empty()) callers_.erase(rooms);
}

}  // namespace msab
