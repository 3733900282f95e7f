#include "tests/bench/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/bench/fail.h"

namespace msab::bench {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Child::Child(const std::vector<std::string>& command,
             const std::map<std::string, std::string>& environment, const cpu_set_t& cores,
             const std::string& log)
    : log_(log) {
  std::vector<std::string> arguments = command;
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!absl::StartsWith(*variable, "MSAB_")) variables.emplace_back(*variable);
  }
  for (const auto& [name, value] : environment) variables.push_back(absl::StrCat(name, "=", value));
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(variables);

  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) Fail("socketpair failed");
  pid_ = fork();
  if (pid_ < 0) Fail("fork failed");
  if (pid_ == 0) {
    // Only what is async-signal-safe: this process has threads.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sched_setaffinity(0, sizeof(cores), &cores);
    dup2(open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600), STDERR_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    if (ends[1] == kControlFd) {
      fcntl(kControlFd, F_SETFD, 0);
    } else {
      dup2(ends[1], kControlFd);
    }
    close_range(kControlFd + 1, ~0U, 0);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(ends[1]);
  control_ = ends[0];
  if (clock_getcpuclockid(pid_, &clock_) != 0) Fail("clock_getcpuclockid failed");
}

Child::~Child() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(control_);
}

double Child::Cpu() const {
  timespec time;
  if (clock_gettime(clock_, &time) != 0) CheckAlive();
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

uint64_t Child::PrivateMemory() const {
  std::ifstream rollup(absl::StrCat("/proc/", pid_, "/smaps_rollup"));
  uint64_t kilobytes = 0;
  for (std::string line; std::getline(rollup, line);) {
    std::istringstream words(line);
    std::string name;
    uint64_t value = 0;
    words >> name >> value;
    if (name == "Private_Clean:" || name == "Private_Dirty:") kilobytes += value;
  }
  if (kilobytes == 0) Fail("no figures in smaps_rollup");
  return kilobytes * 1024;
}

void Child::AwaitQuiet() const {
  constexpr double kQuietMicros = 3'000;
  double before = Cpu();
  while (true) {
    usleep(300'000);
    CheckAlive();
    const double now = Cpu();
    if (now - before < kQuietMicros) return;
    before = now;
  }
}

void Child::CheckAlive() const {
  siginfo_t state{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      state.si_pid == 0) {
    return;
  }
  std::stringstream log;
  log << std::ifstream(log_).rdbuf();
  const std::string text = log.str();
  Fail("the server under test has ended; its log's end:\n" +
       text.substr(text.size() > 2'000 ? text.size() - 2'000 : 0));
}

}  // namespace msab::bench
