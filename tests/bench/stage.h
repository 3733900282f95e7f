#ifndef MSAB_TESTS_BENCH_STAGE_H_
#define MSAB_TESTS_BENCH_STAGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/child.h"
#include "tests/bench/cores.h"

namespace msab::bench {

// What every row is given: the programs, the cores, how long to measure.
struct Stage {
  Cores cores;
  std::string self;       // this program
  std::string relay;      // the relay's
  std::string directory;  // for logs and the probe's counts
  std::string socketio;   // the directory of a real Socket.IO server; empty: none
  size_t pairs = 7;       // how often a row and its baseline are measured, in alternation
  size_t scale = 1;       // what lengths of measurements are divided by
};

// A relay under test, ready, with the defaults of its configuration but for ports, secrets, the
// number of shards, and what `settings` says (MSAB_…). Main thread only.
class Relay {
 public:
  Relay(const Stage& stage, int shards, std::map<std::string, std::string> settings = {});

  const Child& child() const { return *child_; }
  uint16_t ws_port() const { return ws_port_; }
  uint16_t grpc_port() const { return grpc_port_; }

 private:
  // Constant after construction
  uint16_t ws_port_;
  uint16_t grpc_port_;
  uint16_t http_port_;
  std::unique_ptr<Child> child_;
};

// A baseline (baselines.h), ready. Main thread only.
class Baseline {
 public:
  Baseline(const Stage& stage, std::string_view kind, size_t frame_size = 0);
  // Another program that does as baselines do. `kind` names its log.
  Baseline(const Stage& stage, std::string_view kind, const std::vector<std::string>& command);

  const Child& child() const { return *child_; }
  uint16_t port() const { return port_; }
  // Tells it a number; waits for its answer.
  void Command(uint32_t number) const;
  uint32_t Answer() const;

 private:
  // Constant after construction
  uint16_t port_;
  std::unique_ptr<Child> child_;
};

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_STAGE_H_
