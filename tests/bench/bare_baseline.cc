#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/baselines.h"
#include "tests/bench/child.h"

namespace msab::bench {
namespace {

// The answer to every upgrade, and the frame that says that the client is in.
std::string Welcome() {
  const std::string live = R"({"event":"live","cursor":"b-1"})";
  return absl::StrCat(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81",
      std::string(1, static_cast<char>(live.size())), live);
}

}  // namespace

void ServeBare(size_t frame_size) {
  NumberedFrame frame(frame_size);
  const std::string welcome = Welcome();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [epoll](int fd) {
    epoll_event interest{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest);
  };

  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::_Exit(1);
  }
  Announce(ntohs(address.sin_port));
  watch(listener);
  watch(Child::kControlFd);

  std::vector<int> sockets;
  std::map<int, std::string> upgrading;
  std::array<epoll_event, 64> ready;
  while (true) {
    const int count = epoll_wait(epoll, ready.data(), ready.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[static_cast<size_t>(i)].data.fd;
      if (fd == Child::kControlFd) {
        frame.SetNumber(NextCommand());
        const std::string& bytes = frame.frame();
        for (const int socket : sockets) send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      } else if (fd == listener) {
        const int socket = accept(listener, nullptr, nullptr);
        const int on = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        upgrading[socket];
        watch(socket);
      } else {
        std::array<char, 4096> bytes;
        const ssize_t got = recv(fd, bytes.data(), bytes.size(), 0);
        if (got <= 0) {
          std::erase(sockets, fd);
          close(fd);
          continue;
        }
        std::string& request = upgrading[fd];
        request.append(bytes.data(), static_cast<size_t>(got));
        if (request.find("\r\n\r\n") == std::string::npos) continue;
        upgrading.erase(fd);
        sockets.push_back(fd);
        send(fd, welcome.data(), welcome.size(), MSG_NOSIGNAL);
      }
    }
  }
}

}  // namespace msab::bench
