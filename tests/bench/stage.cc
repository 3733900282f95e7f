#include "tests/bench/stage.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/bench/event_client.h"
#include "tests/bench/fail.h"
#include "tests/bench/token.h"

namespace msab::bench {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Ports that were free a moment ago, all different.
std::array<uint16_t, 3> FreePorts() {
  std::array<uint16_t, 3> ports;
  std::array<int, 3> sockets;
  for (size_t i = 0; i < ports.size(); ++i) {
    sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    if (bind(sockets[i], reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(sockets[i], reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      Fail("no free port");
    }
    ports[i] = ntohs(address.sin_port);
  }
  for (const int socket : sockets) close(socket);
  return ports;
}

bool SaysReady(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const std::string request = "GET /readyz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n";
  std::array<char, 64> answer{};
  const bool ready =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
      recv(fd, answer.data(), answer.size() - 1, 0) > 0 &&
      absl::StrContains(answer.data(), " 200 ");
  close(fd);
  return ready;
}

}  // namespace

Relay::Relay(const Stage& stage, int shards, std::map<std::string, std::string> settings) {
  const std::array<uint16_t, 3> ports = FreePorts();
  ws_port_ = ports[0];
  grpc_port_ = ports[1];
  http_port_ = ports[2];
  settings["MSAB_SHARDS"] = absl::StrCat(shards);
  settings["MSAB_API_KEYS"] = absl::StrCat("bench:", kApiKey);
  settings["MSAB_JWT_SECRETS"] = kJwtSecret;
  settings["MSAB_WS_LISTEN"] = absl::StrCat("127.0.0.1:", ws_port_);
  settings["MSAB_GRPC_LISTEN"] = absl::StrCat("127.0.0.1:", grpc_port_);
  settings["MSAB_HTTP_LISTEN"] = absl::StrCat("127.0.0.1:", http_port_);
  // A line for each of 10,000 connections' life is not what is measured.
  settings["MSAB_LOG_LEVEL"] = "warn";
  if (const auto port = settings.find("BENCH_PROBE_PORT"); port != settings.end()) {
    port->second = absl::StrCat(ws_port_);
  }
  child_ = std::make_unique<Child>(std::vector<std::string>{stage.relay}, settings,
                                   stage.cores.server, stage.directory + "/relay.log");
  for (int waits = 0; !SaysReady(http_port_); ++waits) {
    child_->CheckAlive();
    if (waits == 500) Fail("the relay has not become ready in ten seconds");
    usleep(20'000);
  }
}

Baseline::Baseline(const Stage& stage, std::string_view kind, size_t frame_size)
    : Baseline(stage, kind,
               {stage.self, "--serve=" + std::string(kind), absl::StrCat(frame_size)}) {}

Baseline::Baseline(const Stage& stage, std::string_view kind,
                   const std::vector<std::string>& command)
    : child_(std::make_unique<Child>(command, std::map<std::string, std::string>(),
                                     stage.cores.server,
                                     stage.directory + "/" + std::string(kind) + ".log")) {
  port_ = static_cast<uint16_t>(Answer());
}

void Baseline::Command(uint32_t number) const {
  if (write(child_->control(), &number, sizeof(number)) != sizeof(number)) {
    Fail("a baseline takes no commands");
  }
}

uint32_t Baseline::Answer() const {
  uint32_t number = 0;
  if (read(child_->control(), &number, sizeof(number)) != sizeof(number)) {
    Fail("a baseline gives no answer");
  }
  return number;
}

}  // namespace msab::bench
