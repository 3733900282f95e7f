#include "tests/e2e/harness/relay_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/e2e/harness/http.h"

namespace msab::e2e {
namespace {

// A number that no other relay of this test process has.
int NextInstance() {
  static std::atomic<int> next{0};
  return next++;
}

std::string OwnHost() {
  const auto pid = static_cast<uint32_t>(getpid());
  return "127." + std::to_string(1 + (pid >> 16 & 0x7f)) + "." + std::to_string(pid >> 8 & 0xff) +
         "." + std::to_string(pid & 0xff);
}

std::string EnvironmentName(const std::string& setting) {
  static const std::map<std::string, std::string>* const kShort =
      new std::map<std::string, std::string>{{"auth.api_keys", "MSAB_API_KEYS"},
                                             {"auth.jwt_secrets", "MSAB_JWT_SECRETS"},
                                             {"auth.jwt_keys_file", "MSAB_JWT_KEYS_FILE"},
                                             {"ws.allowed_origins", "MSAB_ALLOWED_ORIGINS"}};
  if (const auto found = kShort->find(setting); found != kShort->end()) return found->second;
  std::string name = "MSAB_";
  for (const char c : setting) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string TempDirectory() {
  const std::string path = testing::TempDir() + "msab-e2e-" + std::to_string(getpid()) + "-" +
                           std::to_string(NextInstance());
  std::filesystem::create_directories(path);
  return path;
}

// The child's environment: this one's, without any MSAB_* but MSAB_SHARDS, and the settings.
std::vector<std::string> Environment(const std::map<std::string, std::string>& settings) {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const bool shards = text.starts_with("MSAB_SHARDS=") && !settings.contains("shards");
    if (text.starts_with("MSAB_") && !shards) continue;
    result.emplace_back(text);
  }
  for (const auto& [setting, value] : settings) {
    if (!value.empty()) result.push_back(EnvironmentName(setting) + "=" + value);
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// fork and exec, with `directory`'s stdin, stdout and stderr. Between the two only what is
// async-signal-safe: this process has threads.
pid_t Spawn(std::vector<std::string> command, std::vector<std::string> environment,
            const std::string& directory, size_t descriptors = 0) {
  const std::vector<char*> argv = Pointers(command);
  const std::vector<char*> envp = Pointers(environment);
  const std::string input = directory + "/stdin";
  const std::string output = directory + "/stdout";
  const std::string errors = directory + "/stderr";
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(open(input.c_str(), O_CREAT | O_RDONLY, 0600), STDIN_FILENO);
  dup2(open(output.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600), STDOUT_FILENO);
  dup2(open(errors.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600), STDERR_FILENO);
  // No socket of the tests may live on in the child: its peer would never see the end.
  close_range(3, ~0U, 0);
  const rlimit limit{descriptors, descriptors};
  if (descriptors != 0) setrlimit(RLIMIT_NOFILE, &limit);
  execve(argv[0], argv.data(), envp.data());
  _exit(127);
}

int ExitCode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -2; }

// Waits for a child to end; −1 if it has not.
int WaitFor(pid_t pid, Millis patience) {
  int status = 0;
  const bool over = Await([&] { return waitpid(pid, &status, WNOHANG) == pid; }, patience);
  return over ? ExitCode(status) : -1;
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string ReadFile(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

void RemoveDirectory(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

// Writes the options' files; the command line and the settings that name them.
std::vector<std::string> CommandLine(const RelayOptions& options, const std::string& directory,
                                     std::map<std::string, std::string>& settings) {
  std::vector<std::string> command{MSAB_RELAY_BINARY};
  if (!options.toml.empty()) {
    WriteFile(directory + "/relay.toml", options.toml);
    command.insert(command.end(), {"--config", directory + "/relay.toml"});
  }
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  settings.insert(options.settings.begin(), options.settings.end());
  for (const auto& [setting, content] : options.files) {
    WriteFile(directory + "/" + setting, content);
    settings[setting] = directory + "/" + setting;
  }
  return command;
}

// Waits for a child that ends by itself, and gathers what it said.
RunResult Gather(pid_t pid, const std::string& directory) {
  RunResult result;
  result.exit_code = WaitFor(pid, kPatience);
  if (result.exit_code == -1) {
    ADD_FAILURE() << "the program did not end by itself";
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  result.output = ReadFile(directory + "/stdout");
  result.errors = ReadFile(directory + "/stderr");
  RemoveDirectory(directory);
  return result;
}

}  // namespace

RelayProcess::RelayProcess(const RelayOptions& options)
    : descriptors_(options.descriptors),
      host_(OwnHost()),
      ws_port_(static_cast<uint16_t>(20'000 + 3 * (NextInstance() % 4'000))),
      grpc_port_(ws_port_ + 1),
      http_port_(ws_port_ + 2),
      directory_(TempDirectory()) {
  command_ = CommandLine(options, directory_, settings_);
  settings_.try_emplace("auth.api_keys", std::string("laravel:") + kApiKey);
  settings_.try_emplace("auth.jwt_secrets", kJwtSecret);
  settings_.try_emplace("ws.listen", host_ + ":" + std::to_string(ws_port_));
  settings_.try_emplace("grpc.listen", host_ + ":" + std::to_string(grpc_port_));
  settings_.try_emplace("http.listen", host_ + ":" + std::to_string(http_port_));
  Start();
}

RelayProcess::~RelayProcess() {
  if (running()) {
    Terminate();
    if (WaitForExit() == -1) {
      ADD_FAILURE() << "the relay did not stop on SIGTERM; its log:\n" << Log();
      Kill();
    } else {
      EXPECT_EQ(exit_code_, 0) << "the relay's log:\n" << Log();
    }
  }
  RemoveDirectory(directory_);
}

void RelayProcess::Start() {
  pid_ = Spawn(command_, Environment(settings_), directory_, descriptors_);
  bool ready = false;
  Await([&] {
    ready = Ready();
    if (!ready && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return ready || !running();
  });
  if (!ready) {
    Kill();
    // Nothing that follows in this test could mean anything.
    throw std::runtime_error("the relay did not become ready; its log:\n" + Log());
  }
}

bool RelayProcess::Ready() const {
  // A plain connect first: until it listens, a refusal is no failure.
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(http_port_);
  inet_pton(AF_INET, host_.c_str(), &address.sin_addr);
  const bool listening =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return listening && Fetch(host_, http_port_, "GET", "/readyz").status == 200;
}

void RelayProcess::Terminate() {
  if (running()) kill(pid_, SIGTERM);
}

void RelayProcess::Kill() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int RelayProcess::WaitForExit(Millis patience) {
  if (!running()) return exit_code_;
  exit_code_ = WaitFor(pid_, patience);
  if (exit_code_ != -1) pid_ = -1;
  return exit_code_;
}

void RelayProcess::Restart() {
  if (running()) {
    Terminate();
    EXPECT_EQ(WaitForExit(), 0) << Log();
  }
  Start();
}

std::string RelayProcess::Log() const { return ReadFile(directory_ + "/stderr"); }

double RelayProcess::Metric(const std::string& name, const std::string& labels) const {
  double sum = 0;
  const std::string body = Fetch(host_, http_port_, "GET", "/metrics").body;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(body, '\n'))) {
    const size_t end = line.find_first_of("{ ");
    if (line.substr(0, end) != name || line.find(labels) == std::string::npos) continue;
    double value = 0;
    if (absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) sum += value;
  }
  return sum;
}

RunResult RunRelay(const RelayOptions& options) {
  const std::string directory = TempDirectory();
  std::map<std::string, std::string> settings;
  const std::vector<std::string> command = CommandLine(options, directory, settings);
  return Gather(Spawn(command, Environment(settings), directory), directory);
}

RunResult RunProgram(const std::string& path, const std::vector<std::string>& arguments,
                     const std::string& input) {
  const std::string directory = TempDirectory();
  WriteFile(directory + "/stdin", input);
  std::vector<std::string> command{path};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Gather(Spawn(command, Environment({}), directory), directory);
}

}  // namespace msab::e2e
