#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/crowd.h"
#include "tests/bench/event_client.h"
#include "tests/bench/fail.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/report.h"
#include "tests/bench/rows.h"
#include "tests/bench/token.h"

namespace msab::bench {
namespace {

constexpr size_t kClients = 10'000;
constexpr size_t kMissed = 100;
constexpr size_t kInFlight = 16;

uint64_t NumberOf(const std::string& cursor) {
  uint64_t number = 0;
  const char* begin = cursor.data() + cursor.find('-') + 1;
  if (std::from_chars(begin, cursor.data() + cursor.size(), number).ec != std::errc()) {
    Fail("no number in the cursor " + cursor);
  }
  return number;
}

}  // namespace

// One token for each client: making them is not what is measured.
std::vector<std::string> MintTokens(size_t count) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < count; ++i) tokens.push_back(MintToken(static_cast<int64_t>(i) + 1));
  return tokens;
}

double MemoryOfAConnection(const Child& child, uint16_t port, size_t clients,
                           const std::vector<std::string>& tokens, Crowd::Speech speech) {
  Crowd crowd(port, speech);
  const auto token = [&](size_t client) { return tokens[client]; };
  const auto target = [speech](size_t) {
    return speech == Crowd::Speech::kNative ? "/ws" : "/socket.io/?EIO=4&transport=websocket";
  };
  // The first one pays for what is set up once.
  crowd.Open(1, target, token);
  child.AwaitQuiet();
  const uint64_t before = child.PrivateMemory();
  crowd.Open(clients, target, token);
  child.AwaitQuiet();
  const uint64_t after = child.PrivateMemory();
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(clients) /
         1024;
}

void MemoryRow(const Stage& stage) {
  const size_t clients = kClients / stage.scale;
  const std::vector<std::string> tokens = MintTokens(clients + 1);
  Pairs pairs;
  // A new relay for each figure: what an allocator keeps of a former crowd would hide a later
  // one's.
  for (size_t i = 0; i < (stage.pairs + 1) / 2; ++i) {
    const Relay relay(stage, 1);
    pairs.relay.push_back(MemoryOfAConnection(relay.child(), relay.ws_port(), clients, tokens,
                                              Crowd::Speech::kNative));
  }
  PrintLine({.measure = absl::StrCat("private memory a connection, ", clients, " idle"),
             .unit = "KiB",
             .goal = 4,
             .against = "",
             .pairs = pairs});
}

void ResumeRow(const Stage& stage) {
  const size_t clients = kClients / stage.scale;
  const std::vector<std::string> tokens = MintTokens(clients);
  const auto token = [&](size_t client) { return tokens[client]; };
  const Relay relay(stage, 1);
  EventClient client(relay.grpc_port());
  v1::EmitEventRequest event;
  event.mutable_asset_invalidate()->add_asset_ids(std::string(120, 'a'));

  // Connects, then the same messages live.
  const auto measure_live = [&] {
    relay.child().AwaitQuiet();
    const double cpu = relay.child().Cpu();
    Crowd crowd(relay.ws_port());
    crowd.Open(
        clients, [](size_t) { return "/ws"; }, token);
    crowd.ExpectFrom(NumberOf(client.Cursor()) + 1);
    FanOut(crowd, [&] { client.Emit(event); }).Closed(kInFlight, kMissed);
    return (relay.child().Cpu() - cpu) / 1e6;
  };
  const auto measure_resume = [&] {
    relay.child().AwaitQuiet();
    const std::string cursor = client.Cursor();
    client.Run(
        kMissed, kInFlight, [&](size_t, v1::EmitEventRequest* request) { *request = event; },
        [] {});
    const double cpu = relay.child().Cpu();
    Crowd crowd(relay.ws_port());
    crowd.ExpectFrom(NumberOf(cursor) + 1);
    crowd.Open(
        clients, [&](size_t) { return "/ws?cursor=" + cursor; }, token);
    // Contiguous from the cursor on, and so many: nothing lost, nothing doubled.
    if (crowd.events() != clients * kMissed) {
      Fail(absl::StrCat(crowd.events(), " events instead of ", clients * kMissed));
    }
    return (relay.child().Cpu() - cpu) / 1e6;
  };
  PrintLine({.measure = absl::StrCat("CPU, ", clients, " resume, ", kMissed, " missed each"),
             .unit = "s",
             .goal = 1.3,
             .against = "plain connects + as many messages live at 16",
             .pairs = Measure(stage.pairs, measure_resume, measure_live)});
}

}  // namespace msab::bench
