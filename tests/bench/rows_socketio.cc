#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/report.h"
#include "tests/bench/room.h"
#include "tests/bench/rows.h"

namespace msab::bench {
namespace {

constexpr size_t kClients = 10'000;
constexpr size_t kInFlight = 16;

double OneAtATime(Room& room, const Stage& stage) {
  return room.CpuPerMessage([&] { room.fan_out().OneAtATime(200 / stage.scale); });
}

double Closed(Room& room, size_t events, const Stage& stage) {
  return room.CpuPerMessage([&] { room.fan_out().Closed(kInFlight, events / stage.scale); });
}

RelayRoom SocketIoRoom(const Stage& stage) {
  return RelayRoom(stage, 1, Room::kSockets, {}, Crowd::Speech::kSocketIo);
}

// A Socket.IO server of npm's, whose broadcasts to a room have frames of the same size.
std::vector<std::string> PeerCommand(const Stage& stage, size_t frame_size) {
  return {"/usr/bin/env", "node", stage.socketio + "/server.mjs", absl::StrCat(frame_size)};
}

class PeerRoom final : public Room {
 public:
  PeerRoom(const Stage& stage, size_t frame_size)
      : peer_(stage, "socketio", PeerCommand(stage, frame_size)) {
    crowd_ = std::make_unique<Crowd>(peer_.port(), Crowd::Speech::kSocketIo, "bench");
    crowd_->Open(
        kSockets, [](size_t) { return "/socket.io/?EIO=4&transport=websocket"; },
        [](size_t) { return "none"; });
    crowd_->Expect(Crowd::Order::kContiguous);
    fan_out_ = std::make_unique<FanOut>(*crowd_, [this] { peer_.Command(++number_); });
    fan_out_->OneAtATime(20);
  }

  const Child& child() const override { return peer_.child(); }

 private:
  Baseline peer_;
  uint32_t number_ = 0;
};

// A new server for each figure, as in MemoryRow. `baseline()` gives the other's.
template <typename F>
void MemoryLine(const Stage& stage, double goal, std::string against, F baseline) {
  const size_t clients = kClients / stage.scale;
  const std::vector<std::string> tokens = MintTokens(clients + 1);
  PrintLine({.measure = absl::StrCat("Socket.IO: private memory a connection, ", clients, " idle"),
             .unit = "KiB",
             .goal = goal,
             .against = std::move(against),
             .pairs = Measure((stage.pairs + 1) / 2,
                              [&] {
                                const Relay relay(stage, 1);
                                return MemoryOfAConnection(relay.child(), relay.ws_port(), clients,
                                                           tokens, Crowd::Speech::kSocketIo);
                              },
                              [&] { return baseline(clients, tokens); })});
}

}  // namespace

void SocketIoRow(const Stage& stage) {
  {
    RelayRoom relay = SocketIoRoom(stage);
    RelayRoom native(stage, 1);
    const std::string against = "the native dialect";
    PrintLine({.measure = "Socket.IO: CPU a message, one at a time",
               .unit = "µs",
               .goal = 1.10,
               .against = against,
               .pairs = Measure(
                   stage.pairs, [&] { return OneAtATime(relay, stage); },
                   [&] { return OneAtATime(native, stage); })});
    PrintLine({.measure = "Socket.IO: CPU a message, 16 in flight",
               .unit = "µs",
               .goal = 1.10,
               .against = against,
               .pairs = Measure(
                   stage.pairs, [&] { return Closed(relay, 2'000, stage); },
                   [&] { return Closed(native, 2'000, stage); })});
  }
  MemoryLine(stage, 1.10, "the native dialect",
             [&](size_t clients, const std::vector<std::string>& tokens) {
               const Relay native(stage, 1);
               return MemoryOfAConnection(native.child(), native.ws_port(), clients, tokens,
                                          Crowd::Speech::kNative);
             });
}

void SocketIoPeerRow(const Stage& stage) {
  if (stage.socketio.empty() ||
      !std::filesystem::exists(stage.socketio + "/node_modules/socket.io")) {
    std::printf(
        "socketio-peer: NOT MEASURED, no socket.io from npm (scripts/deps test installs it)\n");
    return;
  }
  const std::string against = "a Socket.IO 4 server in Node";
  {
    RelayRoom relay = SocketIoRoom(stage);
    PeerRoom peer(stage, relay.crowd().frame_size());
    PrintLine({.measure = "Socket.IO: CPU a message, one at a time",
               .unit = "µs",
               .goal = 0.5,
               .against = against,
               .pairs = Measure(
                   stage.pairs, [&] { return OneAtATime(relay, stage); },
                   [&] { return OneAtATime(peer, stage); })});
    PrintLine({.measure = "Socket.IO: CPU a message, 16 in flight",
               .unit = "µs",
               .goal = 0.1,
               .against = against,
               .pairs = Measure(
                   stage.pairs, [&] { return Closed(relay, 2'000, stage); },
                   [&] { return Closed(peer, 400, stage); })});
  }
  MemoryLine(stage, 0.25, against, [&](size_t clients, const std::vector<std::string>& tokens) {
    const Baseline peer(stage, "socketio", PeerCommand(stage, 0));
    return MemoryOfAConnection(peer.child(), peer.port(), clients, tokens,
                               Crowd::Speech::kSocketIo);
  });
}

}  // namespace msab::bench
