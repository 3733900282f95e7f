#include "server/upstream/queue.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/ids.h"
#include "server/base/logging.h"
#include "server/contract/json_text.h"

namespace msab {
namespace {

constexpr std::string_view kHead = R"({"v":1,"commands":[)";
constexpr std::string_view kTail = "]}";

// So many failures in a row are more than a hiccup.
constexpr int kDegradedAfter = 3;

// Where the next doubling would be past the deadline, a last attempt goes so long before it (ms).
constexpr int64_t kLastChanceMs = 250;

constexpr int kMaxDoublings = 16;

std::string Rfc3339(int64_t wall) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(wall), absl::UTCTimeZone());
}

// A command as an element of the body's list; empty where its texts are not UTF-8.
std::string Encode(const std::string& id, const WebhookCommand& command, int64_t wall) {
  std::string json = absl::StrCat(R"({"id":")", id, R"(","type":)");
  if (!AppendJsonString(command.type, &json)) return {};
  absl::StrAppend(&json, R"(,"receivedAt":")", Rfc3339(wall), R"(","user":{"id":)", command.user,
                  R"(},"connectionId":)");
  if (!AppendJsonString(command.connection_id, &json)) return {};
  absl::StrAppend(&json, R"(,"data":)", command.data, "}");
  return json;
}

WebhookStats::Attempt Classify(int status) {
  if (status == 0) return WebhookStats::kNoAnswer;
  if (status == 200) return WebhookStats::kAnswered;
  if (status == 400 || status == 413 || status == 422) return WebhookStats::kRefused;
  if (status == 401 || status == 403 || status / 100 == 3) return WebhookStats::kDenied;
  if (status == 408 || status == 425 || status == 429 || status / 100 == 5) {
    return WebhookStats::kLater;
  }
  return WebhookStats::kBroken;
}

}  // namespace

struct WebhookQueue::Command {
  std::string id;
  std::string json;  // until it is decided
  int64_t user = 0;
  int64_t deadline = 0;    // steady ms
  int64_t late_until = 0;  // steady ms
  Webhook::Done done;      // until it can't be called again
  std::string message_id;  // of the message that it was alone in, when it was refused
  bool decided = false;
  bool in_flight = false;
};

struct WebhookQueue::Batch {
  std::string message_id;
  Commands commands;
  bool alone = false;  // a command that was refused with or without others
  int tries = 0;       // attempts so far
  int64_t launched = 0;
};

struct WebhookQueue::User {
  std::deque<CommandPtr> alone;  // refused once; go first, one by one
  std::deque<CommandPtr> waiting;
  size_t undecided = 0;
  bool busy = false;   // in a batch
  bool ready = false;  // in ready_
};

WebhookQueue::WebhookQueue(const Clock& clock, Options options, WebhookStats& stats)
    : clock_(clock), options_(std::move(options)), stats_(stats), breaker_(options_.breaker_ms) {}

WebhookQueue::~WebhookQueue() = default;

void WebhookQueue::Submit(WebhookCommand command, Webhook::Done done) {
  const int64_t now = clock_.SteadyMillis();
  const auto refuse = [&](WebhookResult result) {
    ForgetIfIdle(command.user);
    stats_.results[static_cast<size_t>(result.kind)].Add();
    done(std::move(result));
    stats_.unanswered.Add(-1);
  };
  if (breaker_.open(now)) return refuse({.kind = WebhookResult::Kind::kUnavailable});
  User& user = users_[command.user];
  if (stats_.unanswered.Value() > static_cast<int64_t>(options_.max_commands) ||
      user.undecided >= options_.max_per_user) {
    return refuse(
        {.kind = WebhookResult::Kind::kOverloaded, .retry_after_ms = options_.overloaded_retry_ms});
  }
  const auto made = std::make_shared<Command>();
  made->id = absl::StrCat("c", ++last_command_);
  made->json = Encode(made->id, command, clock_.WallMillis());
  if (made->json.empty() || kHead.size() + made->json.size() + kTail.size() > options_.max_body) {
    return refuse({.kind = WebhookResult::Kind::kFailed});
  }
  made->user = command.user;
  made->deadline = now + options_.deadline_ms;
  made->late_until = now + options_.late_ms;
  made->done = std::move(done);
  deadlines_.push_back(made);
  user.waiting.push_back(made);
  ++user.undecided;
  stats_.waiting.Add();
  MakeReady(command.user, user);
}

std::optional<WebhookAttempt> WebhookQueue::Take() {
  const int64_t now = clock_.SteadyMillis();
  if (Full() || breaker_.open(now)) return std::nullopt;
  BatchPtr batch = TakeParked(now);
  if (batch == nullptr) batch = TakeFresh();
  if (batch == nullptr) return std::nullopt;
  return Launch(std::move(batch));
}

WebhookQueue::BatchPtr WebhookQueue::TakeParked(int64_t now) {
  while (!parked_.empty() && parked_.begin()->first <= now) {
    BatchPtr batch = std::move(parked_.begin()->second);
    parked_.erase(parked_.begin());
    if (Trim(*batch)) return batch;
  }
  return nullptr;
}

WebhookQueue::BatchPtr WebhookQueue::TakeFresh() {
  auto batch = std::make_unique<Batch>();
  size_t bytes = kHead.size() + kTail.size();
  const auto take = [&](std::deque<CommandPtr>& from) {
    bytes += from.front()->json.size() + 1;
    batch->commands.push_back(std::move(from.front()));
    from.pop_front();
  };
  const auto prune = [](std::deque<CommandPtr>& commands) {
    while (!commands.empty() && commands.front()->decided) commands.pop_front();
  };
  bool full = false;
  while (!full && !ready_.empty()) {
    const int64_t id = ready_.front();
    User& user = users_.find(id)->second;
    prune(user.alone);
    if (!user.alone.empty()) {
      if (!batch->commands.empty()) break;
      batch->message_id = user.alone.front()->message_id;
      batch->alone = true;
      take(user.alone);
      full = true;
    }
    for (prune(user.waiting); !full && !user.waiting.empty(); prune(user.waiting)) {
      full = batch->commands.size() == options_.max_batch ||
             bytes + user.waiting.front()->json.size() + 1 > options_.max_body;
      if (!full) take(user.waiting);
    }
    const bool taken = !batch->commands.empty() && batch->commands.back()->user == id;
    if (full && !taken) break;  // stays the first
    ready_.pop_front();
    user.ready = false;
    user.busy = taken;
    ForgetIfIdle(id);
  }
  if (batch->commands.empty()) return nullptr;
  if (batch->message_id.empty()) batch->message_id = absl::StrCat("msg_", NewEventId());
  return batch;
}

WebhookAttempt WebhookQueue::Launch(BatchPtr batch) {
  WebhookAttempt attempt;
  attempt.id = ++last_attempt_;
  attempt.message_id = batch->message_id;
  attempt.body = kHead;
  for (const CommandPtr& command : batch->commands) {
    if (attempt.body.size() > kHead.size()) attempt.body += ',';
    attempt.body += command->json;
    attempt.give_up = std::max(attempt.give_up, command->late_until);
    command->in_flight = true;
  }
  attempt.body += kTail;
  stats_.waiting.Add(-static_cast<int64_t>(batch->commands.size()));
  stats_.commands_sent.Add(static_cast<int64_t>(batch->commands.size()));
  stats_.in_flight.Add();
  if (batch->tries++ > 0) stats_.retries.Add();
  batch->launched = clock_.SteadyMillis();
  in_flight_.emplace(attempt.id, std::move(batch));
  return attempt;
}

void WebhookQueue::Answer(uint64_t attempt, const WebhookAnswer& answer) {
  const auto found = in_flight_.find(attempt);
  if (found == in_flight_.end()) return;
  BatchPtr batch = std::move(found->second);
  in_flight_.erase(found);
  stats_.in_flight.Add(-1);
  stats_.attempt_millis.Add(clock_.SteadyMillis() - batch->launched);
  std::vector<std::string_view> ids;
  for (const CommandPtr& command : batch->commands) {
    command->in_flight = false;
    if (!command->decided) stats_.waiting.Add();
    ids.push_back(command->id);
  }
  WebhookStats::Attempt kind = Classify(answer.status);
  std::optional<std::vector<Verdict>> verdicts;
  if (kind == WebhookStats::kAnswered) {
    verdicts = ReadAnswer(answer.body, ids);
    if (!verdicts) kind = WebhookStats::kBroken;
  }
  stats_.attempts[kind].Add();
  if (kind != WebhookStats::kDenied && kind != WebhookStats::kNoAnswer && breaker_.Reset()) {
    LogLine(LogLevel::info, "the webhook lets us in again").With("status", answer.status);
  }
  switch (kind) {
    case WebhookStats::kAnswered:
      NoteSuccess();
      return OnResults(std::move(batch), *std::move(verdicts));
    case WebhookStats::kRefused:
      NoteSuccess();
      LogLine(LogLevel::warn, "the webhook refuses a message")
          .With("status", answer.status)
          .With("message", batch->message_id)
          .With("commands", batch->commands.size());
      return OnRefused(std::move(batch));
    case WebhookStats::kDenied:
      return OnDenied(*batch, answer.status);
    case WebhookStats::kLater:
    case WebhookStats::kBroken:
    case WebhookStats::kNoAnswer:
      return OnFailed(std::move(batch), answer);
  }
}

void WebhookQueue::OnResults(BatchPtr batch, std::vector<Verdict> verdicts) {
  const int64_t now = clock_.SteadyMillis();
  // When each user's undecided commands go again: together, so that they keep their order.
  absl::flat_hash_map<int64_t, int64_t> due;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    Command& command = *batch->commands[i];
    Verdict& verdict = verdicts[i];
    switch (verdict.status) {
      case Verdict::Status::kAccepted:
        if (!command.decided || now <= command.late_until) {
          Decide(command, {.kind = WebhookResult::Kind::kAccepted,
                           .late = command.decided,
                           .data = std::move(verdict.data)});
        }
        break;
      case Verdict::Status::kRejected:
        if (!command.decided) {
          Decide(command, {.kind = WebhookResult::Kind::kRejected,
                           .code = std::move(verdict.code),
                           .reason = std::move(verdict.reason)});
        }
        break;
      case Verdict::Status::kRetry: {
        const int64_t wait = verdict.retry_after_ms
                                 ? std::max(*verdict.retry_after_ms, options_.first_retry_ms)
                                 : Backoff(batch->tries);
        int64_t& at = due[command.user];
        at = std::max(at, now + wait);
        break;
      }
    }
  }
  if (!Trim(*batch)) return;
  std::map<int64_t, Commands> groups;
  for (CommandPtr& command : batch->commands) {
    groups[due.find(command->user)->second].push_back(std::move(command));
  }
  if (groups.size() == 1) {
    batch->commands = std::move(groups.begin()->second);
    return Park(std::move(batch), groups.begin()->first);
  }
  for (auto& [at, commands] : groups) {
    auto part = std::make_unique<Batch>();
    part->message_id = absl::StrCat("msg_", NewEventId());
    part->commands = std::move(commands);
    part->alone = batch->alone;
    part->tries = batch->tries;
    Park(std::move(part), at);
  }
}

void WebhookQueue::OnRefused(BatchPtr batch) {
  if (!Trim(*batch)) return;
  const bool was_alone = batch->commands.size() == 1;
  for (const CommandPtr& command : batch->commands) {
    if (batch->alone) {
      Decide(*command, {.kind = WebhookResult::Kind::kFailed});
      continue;
    }
    if (was_alone) command->message_id = batch->message_id;
    users_[command->user].alone.push_back(command);
  }
  Release(batch->commands);
}

void WebhookQueue::OnDenied(const Batch& batch, int status) {
  NoteFailure(absl::StrCat("the webhook answered ", status));
  if (breaker_.Trip(clock_.SteadyMillis())) {
    stats_.breaker_opened.Add();
    LogLine(LogLevel::warn, "the webhook turns us away").With("status", status);
  }
  TellHealth();
  DecideUnavailable(/*all=*/false);
  Release(batch.commands);
  for (const auto& [due, parked] : std::exchange(parked_, {})) Release(parked->commands);
}

void WebhookQueue::OnFailed(BatchPtr batch, const WebhookAnswer& answer) {
  const int64_t now = clock_.SteadyMillis();
  if (answer.stale && batch->tries == 1) return Park(std::move(batch), now);
  NoteFailure(answer.status == 0     ? absl::StrCat("no answer from the webhook: ", answer.failure)
              : answer.status == 200 ? std::string("the webhook's answer is not what was agreed on")
                                     : absl::StrCat("the webhook answered ", answer.status));
  int64_t due = now + Backoff(batch->tries);
  if (answer.retry_after_ms) {
    due = std::max(due, now + *answer.retry_after_ms);
  } else {
    int64_t last_chance = 0;
    for (const CommandPtr& command : batch->commands) {
      last_chance = std::max(last_chance, command->deadline - kLastChanceMs);
    }
    if (now + options_.first_retry_ms <= last_chance) due = std::min(due, last_chance);
  }
  Park(std::move(batch), due);
}

void WebhookQueue::Park(BatchPtr batch, int64_t due) {
  if (!Trim(*batch)) return;
  int64_t last = 0;
  for (const CommandPtr& command : batch->commands) last = std::max(last, command->deadline);
  parked_.emplace(std::min(due, last), std::move(batch));
}

bool WebhookQueue::Trim(Batch& batch) {
  Commands gone;
  Commands left;
  absl::flat_hash_set<int64_t> staying;
  for (const CommandPtr& command : batch.commands) {
    if (!command->decided) staying.insert(command->user);
  }
  for (CommandPtr& command : batch.commands) {
    if (!command->decided) {
      left.push_back(std::move(command));
    } else {
      gone.push_back(std::move(command));
    }
  }
  if (!gone.empty()) batch.message_id = absl::StrCat("msg_", NewEventId());
  std::erase_if(gone, [&](const CommandPtr& command) { return staying.contains(command->user); });
  Release(gone);
  batch.commands = std::move(left);
  return !batch.commands.empty();
}

int64_t WebhookQueue::Backoff(int tries) const {
  const int64_t wait = options_.first_retry_ms << std::min(tries - 1, kMaxDoublings);
  return wait + static_cast<int64_t>(static_cast<double>(wait) * options_.jitter() / 2);
}

void WebhookQueue::Tick() {
  const int64_t now = clock_.SteadyMillis();
  while (!deadlines_.empty()) {
    const CommandPtr first = deadlines_.front();
    if (!first->decided) {
      if (first->deadline > now) return;
      Decide(*first, {.kind = WebhookResult::Kind::kUnavailable});
    }
    deadlines_.pop_front();
  }
}

int64_t WebhookQueue::NextTick() const {
  int64_t next = std::numeric_limits<int64_t>::max();
  if (!deadlines_.empty()) next = deadlines_.front()->deadline;
  if (!parked_.empty() && !Full()) {
    int64_t due = parked_.begin()->first;
    if (breaker_.tripped()) due = std::max(due, breaker_.open_until());
    next = std::min(next, due);
  }
  return next;
}

void WebhookQueue::GiveUp() { DecideUnavailable(/*all=*/true); }

void WebhookQueue::DecideUnavailable(bool all) {
  for (const CommandPtr& command : deadlines_) {
    if (command->decided || (command->in_flight && !all)) continue;
    Decide(*command, {.kind = WebhookResult::Kind::kUnavailable});
  }
}

void WebhookQueue::Decide(Command& command, WebhookResult result) {
  const bool late = std::exchange(command.decided, true);
  stats_.results[late ? WebhookStats::kLate : static_cast<size_t>(result.kind)].Add();
  if (late) {
    std::exchange(command.done, nullptr)(std::move(result));
    return;
  }
  --users_.find(command.user)->second.undecided;
  if (command.in_flight) {
    // Only of what the application may still be at there can be a late word.
    command.done(std::move(result));
  } else {
    stats_.waiting.Add(-1);
    command.json = {};
    std::exchange(command.done, nullptr)(std::move(result));
  }
  stats_.unanswered.Add(-1);
}

void WebhookQueue::Release(const Commands& commands) {
  for (const CommandPtr& command : commands) {
    const auto found = users_.find(command->user);
    if (found == users_.end() || !found->second.busy) continue;
    found->second.busy = false;
    MakeReady(command->user, found->second);
    ForgetIfIdle(command->user);
  }
}

void WebhookQueue::MakeReady(int64_t id, User& user) {
  if (user.busy || user.ready || (user.alone.empty() && user.waiting.empty())) return;
  user.ready = true;
  ready_.push_back(id);
}

void WebhookQueue::ForgetIfIdle(int64_t id) {
  const auto found = users_.find(id);
  if (found == users_.end()) return;
  const User& user = found->second;
  if (user.busy || user.ready || user.undecided > 0) return;
  users_.erase(found);
}

absl::Status WebhookQueue::Health() const {
  if (!breaker_.tripped() && failures_ < kDegradedAfter) return absl::OkStatus();
  return absl::UnavailableError(failure_);
}

void WebhookQueue::NoteSuccess() {
  if (failures_ >= kDegradedAfter) LogLine(LogLevel::info, "the webhook answers again");
  failures_ = 0;
  TellHealth();
}

void WebhookQueue::NoteFailure(std::string what) {
  failure_ = std::move(what);
  if (++failures_ == kDegradedAfter) {
    LogLine(LogLevel::warn, "the webhook fails").With("cause", failure_);
  }
  TellHealth();
}

}  // namespace msab
