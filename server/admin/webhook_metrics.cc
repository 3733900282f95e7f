#include <string>

#include "server/admin/metric_sources.h"

namespace msab {

void CollectRooms(const RoomAuthorizer& authorizer, MetricFamilies& families) {
  for (size_t answer = 0; answer < RoomAuthorizer::kAnswers.size(); ++answer) {
    families.Counter(
        "msab_room_authorizations_total",
        "Joins that were the application's to decide, by what it said or had said before.",
        static_cast<double>(authorizer.count(static_cast<RoomAuthorizer::Answer>(answer))),
        {{"answer", std::string(RoomAuthorizer::kAnswers[answer])}});
  }
  families.Gauge("msab_room_authorizations_remembered", "Joins allowed a short while ago.",
                 static_cast<double>(authorizer.remembered()));
}

void CollectWebhook(const WebhookClient& webhook, MetricFamilies& families) {
  const WebhookStats& stats = webhook.stats();
  families.Gauge("msab_webhook_healthy", "1 unless the application fails or turns us away.",
                 webhook.Health().ok() ? 1 : 0);
  for (size_t kind = 0; kind < WebhookStats::kAttempts.size(); ++kind) {
    families.Counter("msab_webhook_attempts_total",
                     "Messages sent to the application, repeats included, by what came of them.",
                     static_cast<double>(stats.attempts[kind].Value()),
                     {{"answer", std::string(WebhookStats::kAttempts[kind])}});
  }
  for (size_t kind = 0; kind < WebhookStats::kResults.size(); ++kind) {
    families.Counter("msab_webhook_commands_total",
                     "Commands for the application to decide, by outcome.",
                     static_cast<double>(stats.results[kind].Value()),
                     {{"outcome", std::string(WebhookStats::kResults[kind])}});
  }
  families.Counter("msab_webhook_retries_total", "Messages sent again.",
                   static_cast<double>(stats.retries.Value()));
  families.Counter("msab_webhook_commands_sent_total",
                   "Commands in all messages: over the attempts, the mean size of a batch.",
                   static_cast<double>(stats.commands_sent.Value()));
  families.Counter("msab_webhook_answer_seconds_total",
                   "Time spent waiting for the application's answers, over all attempts.",
                   static_cast<double>(stats.attempt_millis.Value()) / 1000);
  families.Counter("msab_webhook_breaker_opened_total",
                   "Times the application turned us away (401, 403, a redirect) out of the blue.",
                   static_cast<double>(stats.breaker_opened.Value()));
  families.Gauge("msab_webhook_unanswered", "Commands without an outcome yet.",
                 static_cast<double>(stats.unanswered.Value()));
  families.Gauge("msab_webhook_waiting", "Of these, such as are not in a message under way.",
                 static_cast<double>(stats.waiting.Value()));
  families.Gauge("msab_webhook_in_flight", "Messages under way.",
                 static_cast<double>(stats.in_flight.Value()));
}

}  // namespace msab
