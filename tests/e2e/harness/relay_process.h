#ifndef MSAB_TESTS_E2E_HARNESS_RELAY_PROCESS_H_
#define MSAB_TESTS_E2E_HARNESS_RELAY_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/harness/wait.h"

namespace msab::e2e {

// What every relay of the tests knows unless a test says otherwise.
inline constexpr char kApiKey[] = "e2e-key-of-laravel-0123456789abcdef";
inline constexpr char kJwtSecret[] = "e2e-secret-0123456789abcdef-0123456789";

struct RelayOptions {
  // By their names in the configuration: {"ws.ping_interval", "1s"}. An empty value unsets.
  std::map<std::string, std::string> settings = {};
  // Settings that name a file, with the content that the file shall have.
  std::map<std::string, std::string> files = {};
  // The configuration file's content; empty: no file.
  std::string toml = {};
  // More arguments.
  std::vector<std::string> arguments = {};
  // The most descriptors that it may have (RLIMIT_NOFILE); 0: as many as the test.
  size_t descriptors = 0;
};

// A relay that the tests talk to from outside: the real binary as a child process, on an address
// of the loopback network that no other test process uses, so that tests may run side by side
// (listeners with SO_REUSEPORT would share a port without a word). MSAB_SHARDS is inherited, the
// rest of the settings comes from the options. Killed if the thread that started it ends. One
// thread.
class RelayProcess {
 public:
  // Starts it and waits until /readyz says 200.
  explicit RelayProcess(const RelayOptions& options = {});
  // Stops it by SIGTERM if it still runs; fails the test if it did not exit with 0, as it would
  // after a sanitizer's report.
  ~RelayProcess();
  RelayProcess(const RelayProcess&) = delete;
  RelayProcess& operator=(const RelayProcess&) = delete;

  const std::string& host() const { return host_; }
  uint16_t ws_port() const { return ws_port_; }
  uint16_t grpc_port() const { return grpc_port_; }
  uint16_t http_port() const { return http_port_; }
  std::string grpc_address() const { return host_ + ":" + std::to_string(grpc_port_); }

  void Terminate();                              // SIGTERM, without waiting
  void Kill();                                   // SIGKILL, and waits
  int WaitForExit(Millis patience = kPatience);  // the exit code; −1: still there, −2: by a signal
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

  // Stops it (if it runs) and starts it again on the same ports with the same settings.
  void Restart();

  // All that it has written to stderr so far, over restarts.
  std::string Log() const;

  // The value of a metric on /metrics, summed over the series whose labels contain `labels`
  // (`event="balance.updated"`). 0 if there is none.
  double Metric(const std::string& name, const std::string& labels = "") const;

 private:
  void Start();
  bool Ready() const;

  std::vector<std::string> command_;
  std::map<std::string, std::string> settings_;
  const size_t descriptors_;
  const std::string host_;
  const uint16_t ws_port_;
  const uint16_t grpc_port_;
  const uint16_t http_port_;
  const std::string directory_;  // of its files and output; removed at the end
  pid_t pid_ = -1;
  int exit_code_ = 0;
};

// What a run that ends by itself said.
struct RunResult {
  int exit_code = -1;
  std::string output;  // stdout
  std::string errors;  // stderr
};

// The relay with --check-config or its like; no setting but those given.
RunResult RunRelay(const RelayOptions& options);

// Any program by its path, with `input` at its stdin.
RunResult RunProgram(const std::string& path, const std::vector<std::string>& arguments,
                     const std::string& input);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_RELAY_PROCESS_H_
