// msab-relay: the process. Flags, signals and exit codes; everything else is the Relay.

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/base/logging.h"
#include "server/config.h"
#include "server/contract/catalog.h"
#include "server/relay.h"

namespace msab {
namespace {

constexpr char kUsage[] =
    R"(msab-relay: the realtime event relay for Laravel

  msab-relay [--config FILE]                  run
  msab-relay [--config FILE] --check-config   exit 0, or a line for each fault
  msab-relay [--config FILE] --print-config   the effective settings, secrets masked
  msab-relay [--config FILE] --print-contract every event and command, as AsyncAPI 3
  msab-relay --print-settings                 the table of all settings, in Markdown
  msab-relay --version

Settings: TOML file, environment MSAB_A_B for key a.b; environment beats file.
)";

// Exit codes, as sysexits.h has them.
constexpr int kExitUsage = 64;
constexpr int kExitUnavailable = 69;
constexpr int kExitConfig = 78;

constexpr int64_t kHousekeepingMillis = 250;

enum class Action { kRun, kCheckConfig, kPrintConfig, kPrintContract };

int Fail(int code, std::string_view message) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
  return code;
}

// Waits for SIGTERM or SIGINT for at most `millis`; true if one came.
bool WaitForSignal(const sigset_t& signals, int64_t millis) {
  const timespec timeout{millis / 1000, (millis % 1000) * 1'000'000};
  return sigtimedwait(&signals, nullptr, &timeout) > 0;
}

int Run(const Config& config) {
  // Blocked before any thread begins, so that only WaitForSignal takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  // Debian's Abseil looks for lock cycles at every lock taken, gRPC's included, as debug builds do.
  // The tests keep that; here it is a good part of what an emit costs.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  StartLogging(config.log_level);
  for (const std::string& warning : ConfigWarnings(config)) {
    LogLine(LogLevel::warn, warning);
  }
  absl::StatusOr<std::unique_ptr<Relay>> relay = Relay::Start(config);
  if (!relay.ok()) {
    StopLogging();
    return Fail(kExitUnavailable, std::string(relay.status().message()));
  }
  do {
    (*relay)->Housekeep();
  } while (!WaitForSignal(signals, kHousekeepingMillis));

  (*relay)->BeginDrain();
  const int64_t deadline = Clock::Real().SteadyMillis() + config.drain.timeout;
  while (!(*relay)->Drained() && Clock::Real().SteadyMillis() < deadline) {
    // A second signal: whoever sent it does not want to wait.
    if (WaitForSignal(signals, 20)) break;
    (*relay)->Housekeep();
  }
  (*relay)->Stop();
  relay->reset();
  StopLogging();
  return EXIT_SUCCESS;
}

int Main(int argc, char** argv) {
  std::optional<std::string> path;
  Action action = Action::kRun;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--config" && i + 1 < argc) {
      path = argv[++i];
    } else if (flag.substr(0, 9) == "--config=") {
      path = std::string(flag.substr(9));
    } else if (flag == "--check-config") {
      action = Action::kCheckConfig;
    } else if (flag == "--print-config") {
      action = Action::kPrintConfig;
    } else if (flag == "--print-contract") {
      action = Action::kPrintContract;
    } else if (flag == "--print-settings") {
      std::fputs(SettingsMarkdown().c_str(), stdout);
      return EXIT_SUCCESS;
    } else if (flag == "--version") {
      std::puts("msab-relay " MSAB_VERSION);
      return EXIT_SUCCESS;
    } else if (flag == "--help" || flag == "-h") {
      std::fputs(kUsage, stdout);
      return EXIT_SUCCESS;
    } else {
      return Fail(kExitUsage,
                  "msab-relay: unknown or incomplete flag " + std::string(flag) + "\n\n" + kUsage);
    }
  }

  // The contract can be printed without secrets: they are no part of it.
  const Secrets secrets =
      action == Action::kPrintContract ? Secrets::kOptional : Secrets::kRequired;
  const absl::StatusOr<Config> config = LoadConfig(path, RelayEnvironment(), secrets);
  if (!config.ok()) return Fail(kExitConfig, std::string(config.status().message()));
  // What only the catalog can judge (a custom event's reserved name) is part of the check.
  const absl::StatusOr<std::unique_ptr<const Catalog>> catalog =
      Catalog::Create(config->custom_events);
  if (!catalog.ok()) return Fail(kExitConfig, std::string(catalog.status().message()));

  switch (action) {
    case Action::kCheckConfig:
      return EXIT_SUCCESS;
    case Action::kPrintConfig:
      std::fputs(PrintConfig(*config).c_str(), stdout);
      return EXIT_SUCCESS;
    case Action::kPrintContract:
      std::fputs((*catalog)->PrintContract().c_str(), stdout);
      return EXIT_SUCCESS;
    case Action::kRun:
      break;
  }
  return Run(*config);
}

}  // namespace
}  // namespace msab

int main(int argc, char** argv) { return msab::Main(argc, argv); }
