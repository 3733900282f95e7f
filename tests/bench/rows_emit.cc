#include <string>

#include "absl/strings/str_cat.h"
#include "tests/bench/crowd.h"
#include "tests/bench/event_client.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/report.h"
#include "tests/bench/rows.h"
#include "tests/bench/token.h"

namespace msab::bench {
namespace {

constexpr size_t kCalls = 20'000;
constexpr size_t kInFlight = 16;
constexpr size_t kUsers = 1'000;
constexpr size_t kBatchSize = 64;
constexpr size_t kFrameSize = 204;

// A private event; users take turns.
void Fill(size_t index, v1::EmitEventRequest* request) {
  v1::RewardEarned& event = *request->mutable_reward_earned();
  event.set_user_id(static_cast<int64_t>(index % kUsers) + 1);
  event.mutable_reward()->set_id(static_cast<int64_t>(index) + 1);
  event.mutable_reward()->set_type("coins");
  event.mutable_reward()->set_amount("1500");
  event.mutable_reward()->set_description("For three evenings in a row on stage, thank you!");
}

double CpuPerCall(const Child& child, EventClient& client, size_t calls,
                  const std::function<void()>& meanwhile) {
  const double cpu = child.Cpu();
  client.Run(calls, kInFlight, Fill, meanwhile);
  return (child.Cpu() - cpu) / static_cast<double>(calls);
}

void Rest() { usleep(500); }

}  // namespace

void UnaryOfflineRow(const Stage& stage) {
  const Relay relay(stage, 1);
  const Baseline empty(stage, "grpc");
  EventClient to_relay(relay.grpc_port());
  EventClient to_empty(empty.port());
  const auto measure = [&](const Child& child, EventClient& client) {
    return CpuPerCall(child, client, kCalls / stage.scale, Rest);
  };
  measure(relay.child(), to_relay);
  measure(empty.child(), to_empty);
  PrintLine({.measure = "CPU an EmitEvent, user offline",
             .unit = "µs",
             .goal = 1.2,
             .against = "(c) empty method",
             .pairs = Measure(
                 stage.pairs, [&] { return measure(relay.child(), to_relay); },
                 [&] { return measure(empty.child(), to_empty); })});
}

void UnaryOnlineRow(const Stage& stage) {
  const Relay relay(stage, 1);
  EventClient to_relay(relay.grpc_port());
  Crowd users(relay.ws_port());
  users.Open(
      kUsers, [](size_t) { return "/ws"; },
      [](size_t i) { return MintToken(static_cast<int64_t>(i) + 1); });
  users.Expect(Crowd::Order::kAscending);

  const Baseline empty(stage, "grpc");
  EventClient to_empty(empty.port());
  const Baseline wake(stage, "wake");
  const Baseline bare(stage, "bare", kFrameSize);
  Crowd bare_users(bare.port());
  bare_users.Open(
      kUsers, [](size_t) { return "/"; }, [](size_t) { return "none"; });
  uint32_t number = 0;
  FanOut bare_fan_out(bare_users, [&] { bare.Command(++number); });

  const size_t calls = kCalls / stage.scale;
  const auto measure_relay = [&] {
    const uint64_t before = users.events();
    const double cpu = relay.child().Cpu();
    to_relay.Run(calls, kInFlight, Fill, [&] { users.PollNow(); });
    while (users.events() < before + calls) users.Poll();
    return (relay.child().Cpu() - cpu) / static_cast<double>(calls);
  };
  const auto measure_baselines = [&] {
    const double call = CpuPerCall(empty.child(), to_empty, calls, [&] { bare_users.PollNow(); });
    const auto trips = static_cast<uint32_t>(calls);
    double cpu = wake.child().Cpu();
    wake.Command(trips);
    wake.Answer();
    // A trip is two wakes.
    const double one_wake = (wake.child().Cpu() - cpu) / (2.0 * trips);
    const uint64_t before = bare_users.events();
    cpu = bare.child().Cpu();
    bare_fan_out.OneAtATime(100 / stage.scale);
    const double one_send =
        (bare.child().Cpu() - cpu) / static_cast<double>(bare_users.events() - before);
    return call + one_wake + one_send;
  };
  measure_relay();
  measure_baselines();
  PrintLine({.measure = "CPU an EmitEvent, user online",
             .unit = "µs",
             .goal = 1.2,
             .against = "(c) + a thread wake + (a)",
             .pairs = Measure(stage.pairs, measure_relay, measure_baselines)});
}

void BatchRow(const Stage& stage) {
  const Relay growing(stage, 1);
  // As after its first minutes: every event takes the place of an older one.
  const Relay full(stage, 1,
                   {{"MSAB_LOG_MAX_EVENTS", "10000"}, {"MSAB_IDEMPOTENCY_MAX_ENTRIES", "10000"}});
  const Baseline empty(stage, "grpc");
  EventClient to_growing(growing.grpc_port());
  EventClient to_full(full.grpc_port());
  EventClient to_empty(empty.port());
  const size_t calls = 1'000 / stage.scale;
  size_t round = 0;
  const auto measure = [&](const Child& child, EventClient& client) {
    ++round;
    const double cpu = child.Cpu();
    client.RunBatches(calls, 4, [&](size_t call, v1::EmitEventsRequest* request) {
      for (size_t i = 0; i < kBatchSize; ++i) {
        v1::EmitEventRequest* event = request->add_events();
        Fill(call * kBatchSize + i, event);
        event->set_event_id(absl::StrCat("reward-", round, "-", call, "-", i));
      }
    });
    return (child.Cpu() - cpu) / static_cast<double>(calls * kBatchSize);
  };
  measure(empty.child(), to_empty);
  const auto print = [&](const char* measure_name, const Child& child, EventClient& client) {
    measure(child, client);
    PrintLine({.measure = measure_name,
               .unit = "µs",
               .goal = 2.5,
               .against = "(d) empty method",
               .pairs = Measure(
                   stage.pairs, [&] { return measure(child, client); },
                   [&] { return measure(empty.child(), to_empty); })});
  };
  print("CPU an event, EmitEvents of 64, users offline", growing.child(), to_growing);
  print("CPU an event, EmitEvents of 64, the log full", full.child(), to_full);
}

}  // namespace msab::bench
