#include "server/upstream/client.h"

#include <pthread.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "server/upstream/answer.h"
#include "server/upstream/connection.h"
#include "server/upstream/signer.h"

namespace msab {
namespace {

namespace asio = boost::asio;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

}  // namespace

class WebhookClient::Impl {
 public:
  Impl(const Clock& clock, Options options, WebhookSigner signer,
       std::unique_ptr<WebhookConnector> connector)
      : clock_(clock),
        options_(std::move(options)),
        signer_(std::move(signer)),
        connector_(std::move(connector)),
        queue_(clock, QueueOptions(), stats_) {}

  void Start() {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "webhook");
      context_.run();
    });
  }

  void Submit(WebhookCommand command, Done done);
  void Refuse() {
    absl::MutexLock lock(&mu_);
    refusing_ = true;
  }
  void GiveUp() {
    asio::post(context_, [this] {
      TakeIn();
      queue_.GiveUp();
      Pump();
    });
  }
  void Stop();

  absl::Status Health() const {
    absl::MutexLock lock(&mu_);
    return health_;
  }
  const WebhookStats& stats() const { return stats_; }

 private:
  struct Incoming {
    WebhookCommand command;
    Done done;
  };
  // A connection that waits for its next exchange.
  struct Idle {
    std::shared_ptr<WebhookConnection> connection;
    int64_t since;  // steady ms
  };

  WebhookQueue::Options QueueOptions() {
    WebhookQueue::Options options = options_.queue;
    options.jitter = [this] { return absl::Uniform(random_, 0.0, 1.0); };
    options.on_health = [this](absl::Status health) {
      absl::MutexLock lock(&mu_);
      health_ = std::move(health);
    };
    return options;
  }

  bool unanswered_full() const {
    return stats_.unanswered.Value() >= static_cast<int64_t>(options_.queue.max_commands);
  }

  // Webhook's thread only
  void TakeIn();
  void Pump();
  void Send(const WebhookAttempt& attempt);
  void OnAnswer(uint64_t attempt, const std::shared_ptr<WebhookConnection>& connection,
                HttpAnswer answer);
  std::string Request(const WebhookAttempt& attempt) const;
  void Keep(const std::shared_ptr<WebhookConnection>& connection);
  void DropIdle();
  void Arm();

  // Constant after construction
  const Clock& clock_;
  const Options options_;
  const WebhookSigner signer_;
  const std::unique_ptr<WebhookConnector> connector_;

  // Any thread
  mutable absl::Mutex mu_;
  std::vector<Incoming> incoming_ ABSL_GUARDED_BY(mu_);
  bool refusing_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status health_ ABSL_GUARDED_BY(mu_);
  WebhookStats stats_;

  // Webhook's thread only
  absl::BitGen random_;
  WebhookQueue queue_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  Timer timer_{context_.get_executor()};
  int64_t armed_ = std::numeric_limits<int64_t>::max();
  std::vector<Idle> idle_;  // the latest used last
  absl::flat_hash_set<std::shared_ptr<WebhookConnection>> busy_;
  bool stopping_ = false;

  std::thread thread_;
};

void WebhookClient::Impl::Submit(WebhookCommand command, Done done) {
  WebhookResult refusal{.kind = WebhookResult::Kind::kUnavailable};
  if (unanswered_full()) {
    refusal = {.kind = WebhookResult::Kind::kOverloaded,
               .retry_after_ms = options_.queue.overloaded_retry_ms};
  } else {
    absl::MutexLock lock(&mu_);
    if (!refusing_) {
      stats_.unanswered.Add();
      if (incoming_.empty()) asio::post(context_, [this] { Pump(); });
      incoming_.push_back({std::move(command), std::move(done)});
      return;
    }
  }
  stats_.results[static_cast<size_t>(refusal.kind)].Add();
  done(std::move(refusal));
}

void WebhookClient::Impl::TakeIn() {
  std::vector<Incoming> incoming;
  {
    absl::MutexLock lock(&mu_);
    incoming.swap(incoming_);
  }
  for (Incoming& item : incoming) {
    queue_.Submit(std::move(item.command), std::move(item.done));
  }
}

void WebhookClient::Impl::Pump() {
  if (stopping_) return;
  TakeIn();
  queue_.Tick();
  while (const std::optional<WebhookAttempt> attempt = queue_.Take()) Send(*attempt);
  DropIdle();
  Arm();
}

std::string WebhookClient::Impl::Request(const WebhookAttempt& attempt) const {
  const int64_t timestamp = clock_.WallMillis() / 1000;
  return absl::StrCat("POST ", options_.url.target, " HTTP/1.1\r\nHost: ", options_.url.header,
                      "\r\nUser-Agent: msab-relay/" MSAB_VERSION
                      "\r\nAccept: application/json\r\nContent-Type: application/json"
                      "\r\nContent-Length: ",
                      attempt.body.size(), "\r\nwebhook-id: ", attempt.message_id,
                      "\r\nwebhook-timestamp: ", timestamp, "\r\nwebhook-signature: ",
                      signer_.Sign(attempt.message_id, timestamp, attempt.body), "\r\n\r\n",
                      attempt.body);
}

void WebhookClient::Impl::Send(const WebhookAttempt& attempt) {
  std::shared_ptr<WebhookConnection> connection;
  if (!idle_.empty()) {
    connection = std::move(idle_.back().connection);
    idle_.pop_back();
  } else {
    connection = connector_->New(context_);
  }
  busy_.insert(connection);
  const std::chrono::milliseconds patience(
      std::max<int64_t>(attempt.give_up - clock_.SteadyMillis(), 0));
  connection->Exchange(Request(attempt), std::chrono::steady_clock::now() + patience,
                       [this, id = attempt.id, weak = std::weak_ptr(connection)](
                           HttpAnswer answer) { OnAnswer(id, weak.lock(), std::move(answer)); });
}

void WebhookClient::Impl::OnAnswer(uint64_t attempt,
                                   const std::shared_ptr<WebhookConnection>& connection,
                                   HttpAnswer answer) {
  if (stopping_) return;
  busy_.erase(connection);
  if (connection->reusable()) Keep(connection);
  queue_.Answer(attempt, {.status = answer.status,
                          .body = std::move(answer.body),
                          .failure = std::move(answer.failure),
                          .retry_after_ms = ReadRetryAfter(answer.retry_after, clock_.WallMillis()),
                          .stale = answer.stale});
  Pump();
}

void WebhookClient::Impl::Keep(const std::shared_ptr<WebhookConnection>& connection) {
  connection->WatchIdle([this, address = connection.get()] {
    std::erase_if(idle_, [address](const Idle& idle) { return idle.connection.get() == address; });
  });
  idle_.push_back({connection, clock_.SteadyMillis()});
}

void WebhookClient::Impl::DropIdle() {
  const int64_t oldest = clock_.SteadyMillis() - options_.idle_timeout.count();
  std::erase_if(idle_, [oldest](const Idle& idle) {
    if (idle.since > oldest) return false;
    idle.connection->Close();
    return true;
  });
}

void WebhookClient::Impl::Arm() {
  int64_t next = queue_.NextTick();
  if (!idle_.empty()) next = std::min(next, idle_.front().since + options_.idle_timeout.count());
  if (next == armed_) return;
  armed_ = next;
  if (next == std::numeric_limits<int64_t>::max()) {
    timer_.cancel();
    return;
  }
  // The clock may be some milliseconds behind the timer's.
  const int64_t wait = std::max<int64_t>(next - clock_.SteadyMillis(), 1);
  timer_.expires_after(std::chrono::milliseconds(wait));
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    armed_ = std::numeric_limits<int64_t>::max();
    Pump();
  });
}

void WebhookClient::Impl::Stop() {
  Refuse();
  if (thread_.joinable()) {
    asio::post(context_, [this] {
      TakeIn();
      queue_.GiveUp();
      stopping_ = true;
      timer_.cancel();
      for (const Idle& idle : idle_) idle.connection->Close();
      for (const auto& connection : busy_) connection->Close();
      idle_.clear();
      busy_.clear();
      work_.reset();
    });
    thread_.join();
  } else {
    TakeIn();
    queue_.GiveUp();
  }
}

absl::StatusOr<std::unique_ptr<WebhookClient>> WebhookClient::Create(const Clock& clock,
                                                                     Options options) {
  absl::StatusOr<WebhookSigner> signer = WebhookSigner::Create(options.secrets);
  if (!signer.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("laravel.webhook_secrets: ", signer.status().message()));
  }
  absl::StatusOr<std::unique_ptr<WebhookConnector>> connector = WebhookConnector::Create(
      {.url = options.url, .ca_file = options.ca_file, .connect_timeout = options.connect_timeout});
  if (!connector.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("laravel.ca_file: ", connector.status().message()));
  }
  return std::unique_ptr<WebhookClient>(new WebhookClient(std::make_unique<Impl>(
      clock, std::move(options), *std::move(signer), *std::move(connector))));
}

WebhookClient::WebhookClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebhookClient::~WebhookClient() { impl_->Stop(); }
void WebhookClient::Start() { impl_->Start(); }
void WebhookClient::Submit(WebhookCommand command, Done done) {
  impl_->Submit(std::move(command), std::move(done));
}
void WebhookClient::Refuse() { impl_->Refuse(); }
void WebhookClient::GiveUp() { impl_->GiveUp(); }
void WebhookClient::Stop() { impl_->Stop(); }
absl::Status WebhookClient::Health() const { return impl_->Health(); }
const WebhookStats& WebhookClient::stats() const { return impl_->stats(); }

}  // namespace msab
