#ifndef MSAB_ROOMS_ROOM_AUTHORIZER_H_
#define MSAB_ROOMS_ROOM_AUTHORIZER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/base/counter.h"
#include "server/contract/audience.h"
#include "server/contract/command.h"
#include "server/upstream/webhook.h"

namespace msab {

// Whether a user may be in a room, and as what.
struct RoomVerdict {
  std::optional<CommandError> refusal = {};  // of room:join; nothing: let in
  // What others see of the user there, one JSON object; null: what the token says.
  std::shared_ptr<const std::string> profile = nullptr;

  // Refused by who decides; a refusal otherwise means that nobody could tell.
  bool forbidden() const { return refusal && refusal->code == "ROOM_FORBIDDEN"; }
};

// Decides who may be in which room. A room is open to everybody unless its id begins with private-
// or presence-, or rooms.authorize says otherwise; then the application is asked, over the webhook,
// with a `room:join` command. A yes is remembered for a while for that user and room; who asks the
// same while it is being asked shares the answer.
//
// One lock, held for a look-up; nothing is called under it. Owned by the composition root. Any
// thread.
class RoomAuthorizer {
 public:
  struct Options {
    bool ask_always = false;  // rooms.authorize = "webhook"
    int64_t remember_ms = 60'000;
    size_t max_remembered = 100'000;
  };
  using Done = absl::AnyInvocable<void(const RoomVerdict&)>;

  // Answers by where they came from, for metrics.
  enum Answer : size_t { kRemembered, kAllowed, kForbidden, kUnavailable };
  static constexpr std::array<std::string_view, 4> kAnswers = {"remembered", "allowed", "forbidden",
                                                               "unavailable"};

  // Both outlive this. `webhook` null: there is no application to ask, so nobody gets in where it
  // would have to be.
  RoomAuthorizer(const Clock& clock, Webhook* webhook, Options options);

  // The verdict, if it is known; else `done` gets it: once, on this thread before Ask returns or on
  // the webhook's.
  std::optional<RoomVerdict> Ask(UserId user, const std::string& connection_id,
                                 const std::string& room, Done done);

  // Rooms that were asked about, not counting open ones.
  int64_t count(Answer answer) const { return counts_[answer].Value(); }
  size_t remembered() const;

 private:
  using Key = std::pair<UserId, std::string>;
  struct Remembered {
    RoomVerdict verdict;
    int64_t until = 0;  // steady ms
  };

  bool IsOpen(std::string_view room) const;
  void OnResult(const Key& key, const WebhookResult& result);
  void Remember(const Key& key, const RoomVerdict& verdict) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction
  const Clock& clock_;
  Webhook* const webhook_;
  const Options options_;

  std::array<SharedCounter, kAnswers.size()> counts_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<Key, std::vector<Done>> asking_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Key, Remembered> remembered_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<int64_t, Key>> by_age_ ABSL_GUARDED_BY(mu_);  // by `until`
};

}  // namespace msab

#endif  // MSAB_ROOMS_ROOM_AUTHORIZER_H_
