#include "tests/e2e/harness/raw_socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace msab::e2e {
namespace {

sockaddr_in Address(const std::string& host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    ADD_FAILURE() << "not an IPv4 address: " << host;
  }
  return address;
}

}  // namespace

RawSocket::RawSocket(const std::string& host, uint16_t port, const std::string& source)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (!source.empty()) {
    const sockaddr_in from = Address(source, 0);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)), 0);
  }
  const sockaddr_in to = Address(host, port);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    ADD_FAILURE() << "connect to " << host << ":" << port << " failed, errno " << errno;
    ended_ = true;
  }
}

RawSocket::~RawSocket() {
  if (fd_ >= 0) close(fd_);
}

RawSocket::RawSocket(RawSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_), buffer_(std::move(other.buffer_)) {}

bool RawSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawSocket::FinishSending() { shutdown(fd_, SHUT_WR); }

void RawSocket::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(std::exchange(fd_, -1));
  ended_ = true;
}

bool RawSocket::ReadSome(SteadyTime deadline) {
  if (ended_) return false;
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, MillisLeft(deadline)) <= 0) return false;
  std::array<char, 16'384> chunk;
  const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  buffer_.append(chunk.data(), static_cast<size_t>(got));
  return true;
}

bool RawSocket::ReadAtLeast(size_t size, Millis patience) {
  const SteadyTime deadline = Deadline(patience);
  while (buffer_.size() < size) {
    if (!ReadSome(deadline)) return false;
  }
  return true;
}

size_t RawSocket::ReadThrough(std::string_view mark, Millis patience) {
  const SteadyTime deadline = Deadline(patience);
  size_t found = 0;
  while ((found = buffer_.find(mark)) == std::string::npos) {
    if (!ReadSome(deadline)) return std::string::npos;
  }
  return found + mark.size();
}

bool RawSocket::ReadToEnd(Millis patience) {
  const SteadyTime deadline = Deadline(patience);
  while (ReadSome(deadline)) {
  }
  return ended_;
}

std::string RawSocket::Take(size_t size) {
  std::string taken = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return taken;
}

}  // namespace msab::e2e
