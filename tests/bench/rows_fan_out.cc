#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/crowd.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/probe_file.h"
#include "tests/bench/report.h"
#include "tests/bench/room.h"
#include "tests/bench/rows.h"
#include "tests/bench/token.h"

namespace msab::bench {
namespace {

constexpr size_t kInFlight = 16;
// A baseline that sends frames of the same size.
class BaselineRoom final : public Room {
 public:
  BaselineRoom(const Stage& stage, std::string_view kind, size_t frame_size)
      : baseline_(stage, kind, frame_size) {
    crowd_ = std::make_unique<Crowd>(baseline_.port());
    crowd_->Open(
        Room::kSockets, [](size_t) { return "/"; }, [](size_t) { return "none"; });
    crowd_->Expect(Crowd::Order::kContiguous);
    fan_out_ = std::make_unique<FanOut>(*crowd_, [this] { baseline_.Command(++number_); });
    fan_out_->OneAtATime(20);
  }

  const Child& child() const override { return baseline_.child(); }

 private:
  Baseline baseline_;
  uint32_t number_ = 0;
};

std::string Shards(int shards) {
  return shards == 1 ? "" : absl::StrCat(", ", shards, " shards on the core");
}

double Percentile99(std::vector<double> values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 99 / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

void FanOutRow(const Stage& stage, int shards) {
  RelayRoom relay(stage, shards);
  BaselineRoom bare(stage, "bare", relay.crowd().frame_size());
  const auto measure = [&](Room& room) {
    return room.CpuPerMessage([&] { room.fan_out().OneAtATime(200 / stage.scale); });
  };
  PrintLine({.measure = absl::StrCat("CPU a message, one at a time", Shards(shards)),
             .unit = "µs",
             .goal = 1.10,
             .against = "(a) bare send() loop",
             .pairs = Measure(
                 stage.pairs, [&] { return measure(relay); }, [&] { return measure(bare); })});
}

void ClosedLoopRow(const Stage& stage, int shards) {
  RelayRoom relay(stage, shards);
  BaselineRoom beast(stage, "beast", relay.crowd().frame_size());
  const auto measure = [&](Room& room, size_t events) {
    return room.CpuPerMessage([&] { room.fan_out().Closed(kInFlight, events / stage.scale); });
  };
  PrintLine({.measure = absl::StrCat("CPU a message, 16 in flight", Shards(shards)),
             .unit = "µs",
             .goal = 0.15,
             .against = "(b) Beast, an async_write each",
             .pairs = Measure(
                 stage.pairs, [&] { return measure(relay, 2'000); },
                 [&] { return measure(beast, 400); })});
}

void LatencyRow(const Stage& stage) {
  RelayRoom relay(stage, 1);
  BaselineRoom beast(stage, "beast", relay.crowd().frame_size());
  const auto measure = [&](Room& room) {
    std::vector<double> latencies;
    room.fan_out().OneAtATime(200 / stage.scale, &latencies);
    return Percentile99(std::move(latencies));
  };
  PrintLine({.measure = "p99 until a client has it, one at a time",
             .unit = "µs",
             .goal = 1.2,
             .against = "(b) Beast, an async_write each",
             .pairs = Measure(
                 stage.pairs, [&] { return measure(relay); }, [&] { return measure(beast); })});
}

void CountsRow(const Stage& stage) {
  // An event's own price (gRPC, entry, frame) is the same for few and for many recipients: what
  // grows with them is theirs.
  constexpr size_t kFew = 100;
  const size_t events = 400 / stage.scale;
  const auto start = [&](ProbeFile& probe, size_t sockets) {
    return std::make_unique<RelayRoom>(stage, 1, sockets, probe.Environment());
  };
  ProbeFile few_probe(stage.directory + "/few.counts");
  ProbeFile many_probe(stage.directory + "/many.counts");
  const auto few = start(few_probe, kFew);
  const auto many = start(many_probe, Room::kSockets);

  struct Way {
    std::string name;
    std::function<void(FanOut&)> send;
  };
  const std::vector<Way> ways = {
      {"one at a time", [&](FanOut& fan_out) { fan_out.OneAtATime(events); }},
      {"16 in flight", [&](FanOut& fan_out) { fan_out.Closed(kInFlight, events); }},
  };
  for (const Way& way : ways) {
    Pairs allocations;
    Pairs writes;
    for (size_t i = 0; i < stage.pairs; ++i) {
      const auto allocated = [&](ProbeFile& probe, RelayRoom& room) {
        const uint64_t before = probe.counts().allocations;
        way.send(room.fan_out());
        return static_cast<double>(probe.counts().allocations - before) /
               static_cast<double>(events);
      };
      const double of_few = allocated(few_probe, *few);
      const uint64_t written = many_probe.counts().writes;
      const uint64_t delivered = many->crowd().events();
      const double of_many = allocated(many_probe, *many);
      allocations.relay.push_back((of_many - of_few) / static_cast<double>(Room::kSockets - kFew));
      writes.relay.push_back(static_cast<double>(many_probe.counts().writes - written) /
                             static_cast<double>(many->crowd().events() - delivered));
    }
    PrintLine({.measure = absl::StrCat("heap allocations a recipient, ", way.name),
               .unit = "",
               .goal = 0.0005,  // "none", to the digits that are printed
               .against = "",
               .pairs = allocations});
    PrintLine({.measure = absl::StrCat("writes a message, ", way.name),
               .unit = "",
               .goal = way.name == "16 in flight" ? 0.1 : 1,
               .against = "",
               .pairs = writes});
  }
}

}  // namespace msab::bench
