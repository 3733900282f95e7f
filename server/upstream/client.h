#ifndef MSAB_UPSTREAM_CLIENT_H_
#define MSAB_UPSTREAM_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/clock.h"
#include "server/upstream/queue.h"
#include "server/upstream/stats.h"
#include "server/upstream/url.h"
#include "server/upstream/webhook.h"

namespace msab {

// The webhook as the contract page's section 9 has it: signed batches over a pool of connections
// that are kept alive. It knows commands and outcomes, no rooms and no sessions.
//
// A thread of its own does everything: a shard that submits a command leaves it in a list behind a
// lock. What goes when is the WebhookQueue's part, the bytes are the WebhookConnection's.
//
// Owned by the Relay. Any thread, but Start, Stop and destruction.
class WebhookClient final : public Webhook {
 public:
  struct Options {
    WebhookUrl url{};
    std::vector<std::string> secrets{};  // as configured
    std::string ca_file{};               // PEM; empty: the system's authorities
    WebhookQueue::Options queue{};
    std::chrono::milliseconds connect_timeout{2'000};
    std::chrono::milliseconds idle_timeout{
        60'000};  // a connection that nothing needed so long goes
  };

  // INVALID_ARGUMENT, naming the setting, for a bad secret or a file that can't be read. `clock`
  // outlives the client.
  static absl::StatusOr<std::unique_ptr<WebhookClient>> Create(const Clock& clock, Options options);

  // Stops at once if Stop was not called.
  ~WebhookClient() override;
  WebhookClient(const WebhookClient&) = delete;
  WebhookClient& operator=(const WebhookClient&) = delete;

  void Start();

  void Submit(WebhookCommand command, Done done) override;

  // From now on every further command is kUnavailable at once. For good.
  void Refuse();

  // Every command without an outcome is kUnavailable now. They have it once unanswered() is 0.
  void GiveUp();

  // Refuses, gives up, cuts what is under way and ends the thread. Later calls do nothing.
  void Stop();

  // Commands submitted whose `done` has not run yet.
  int64_t unanswered() const { return stats().unanswered.Value(); }

  // OK, or what is wrong with the application as far as can be told from here.
  absl::Status Health() const;

  const WebhookStats& stats() const;

 private:
  class Impl;
  explicit WebhookClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_CLIENT_H_
