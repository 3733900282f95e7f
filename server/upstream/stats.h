#ifndef MSAB_UPSTREAM_STATS_H_
#define MSAB_UPSTREAM_STATS_H_

#include <array>
#include <cstddef>
#include <string_view>

#include "server/base/counter.h"

namespace msab {

// What the webhook has done so far. Written by the thread that Webhook's commands live on, but for
// what is said; read by any.
struct WebhookStats {
  // Of one HTTP exchange.
  enum Attempt : size_t { kAnswered, kRefused, kDenied, kLater, kBroken, kNoAnswer };
  static constexpr std::array<std::string_view, 6> kAttempts = {
      "answered",  // 200, and it could be read
      "refused",   // 400, 413, 422
      "denied",    // 401, 403, 3xx
      "later",     // 408, 425, 429, 5xx
      "broken",    // anything else
      "no_answer"};

  // Of one command, as WebhookResult::Kind has them; a late kAccepted apart.
  static constexpr std::array<std::string_view, 6> kResults = {
      "accepted", "rejected", "unavailable", "failed", "overloaded", "accepted_late"};
  static constexpr size_t kLate = kResults.size() - 1;

  std::array<Counter, kAttempts.size()> attempts;
  std::array<SharedCounter, kResults.size()> results;  // any thread writes
  Counter retries;                                     // attempts that were not the first
  Counter commands_sent;                               // over all attempts
  Counter attempt_millis;                              // spent waiting for answers
  Counter waiting;                                     // commands not in an attempt, now
  Counter in_flight;                                   // attempts, now
  Counter breaker_opened;
  SharedCounter unanswered;  // commands without an outcome yet, now; any thread writes
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_STATS_H_
