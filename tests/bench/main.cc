// Measures the relay from outside, as a child process on a core of its own, against baselines that
// are this program in another role. Started by scripts/bench.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/baselines.h"
#include "tests/bench/fail.h"
#include "tests/bench/report.h"
#include "tests/bench/rows.h"

namespace {

using msab::bench::Stage;

struct Row {
  std::string_view name;
  std::function<void(const Stage&)> run;
};

const std::vector<Row>& Rows() {
  using namespace msab::bench;  // NOLINT(google-build-using-namespace): a dozen names, here only
  static const auto* const kRows = new std::vector<Row>{
      {"fan-out", [](const Stage& stage) { FanOutRow(stage, 1); }},
      {"fan-out-4", [](const Stage& stage) { FanOutRow(stage, 4); }},
      {"closed-loop", [](const Stage& stage) { ClosedLoopRow(stage, 1); }},
      {"closed-loop-4", [](const Stage& stage) { ClosedLoopRow(stage, 4); }},
      {"latency", LatencyRow},
      {"counts", CountsRow},
      {"memory", MemoryRow},
      {"unary-offline", UnaryOfflineRow},
      {"unary-online", UnaryOnlineRow},
      {"batch", BatchRow},
      {"resume", ResumeRow},
      {"socketio", SocketIoRow},
      {"socketio-peer", SocketIoPeerRow},
  };
  return *kRows;
}

[[noreturn]] void Serve(std::string_view kind, size_t frame_size) {
  if (kind == "bare") msab::bench::ServeBare(frame_size);
  if (kind == "beast") msab::bench::ServeBeast(frame_size);
  if (kind == "grpc") msab::bench::ServeGrpc();
  if (kind == "wake") msab::bench::ServeWake();
  msab::bench::Fail("no baseline " + std::string(kind));
}

// A connection is a descriptor, here and in the servers.
void RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  RaiseDescriptorLimit();
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  constexpr std::string_view kServe = "--serve=";
  if (arguments.size() == 2 && arguments[0].starts_with(kServe)) {
    Serve(arguments[0].substr(kServe.size()), std::strtoul(argv[2], nullptr, 10));
  }

  Stage stage;
  std::vector<std::string_view> wanted;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--relay" && i + 1 < arguments.size()) {
      stage.relay = arguments[++i];
    } else if (arguments[i] == "--socketio" && i + 1 < arguments.size()) {
      stage.socketio = arguments[++i];
    } else if (arguments[i] == "--quick") {
      stage.pairs = 3;
      stage.scale = 4;
    } else if (arguments[i] == "--list") {
      for (const Row& row : Rows()) std::printf("%s\n", std::string(row.name).c_str());
      return 0;
    } else if (std::any_of(Rows().begin(), Rows().end(),
                           [&](const Row& row) { return row.name == arguments[i]; })) {
      wanted.push_back(arguments[i]);
    } else {
      msab::bench::Fail("neither a flag nor a row: " + std::string(arguments[i]));
    }
  }
  if (stage.relay.empty()) msab::bench::Fail("--relay FILE is missing");

  stage.cores = msab::bench::DivideCores();
  stage.self = std::filesystem::read_symlink("/proc/self/exe");
  stage.relay = std::filesystem::absolute(stage.relay);
  std::string directory = std::filesystem::temp_directory_path() / "msab-bench-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) msab::bench::Fail("no temporary directory");
  stage.directory = directory;

  msab::bench::PrintHead();
  for (const Row& row : Rows()) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), row.name) != wanted.end()) {
      row.run(stage);
    }
  }
  std::filesystem::remove_all(stage.directory);
  return 0;
}
