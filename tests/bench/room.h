#ifndef MSAB_TESTS_BENCH_ROOM_H_
#define MSAB_TESTS_BENCH_ROOM_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tests/bench/crowd.h"
#include "tests/bench/event_client.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/stage.h"

namespace msab::bench {

// A crowd to which every event goes, and the server that it goes through. Main thread only.
class Room {
 public:
  static constexpr size_t kSockets = 1'000;
  // 200 bytes of text and a header of 4.
  static constexpr size_t kFrameSize = 204;

  virtual ~Room() = default;
  virtual const Child& child() const = 0;
  Crowd& crowd() { return *crowd_; }
  FanOut& fan_out() { return *fan_out_; }

  // Processor time per message, in microseconds, while `send` runs.
  double CpuPerMessage(const std::function<void()>& send);

 protected:
  std::unique_ptr<Crowd> crowd_;
  std::unique_ptr<FanOut> fan_out_;
};

// The relay; each client is another user's, all in one room.
class RelayRoom final : public Room {
 public:
  RelayRoom(const Stage& stage, int shards, size_t sockets = kSockets,
            const std::map<std::string, std::string>& settings = {},
            Crowd::Speech speech = Crowd::Speech::kNative);

  const Child& child() const override { return relay_.child(); }

 private:
  Relay relay_;
  EventClient client_;
  v1::EmitEventRequest request_;
};

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_ROOM_H_
