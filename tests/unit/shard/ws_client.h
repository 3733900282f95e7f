#ifndef MSAB_TESTS_UNIT_SHARD_WS_CLIENT_H_
#define MSAB_TESTS_UNIT_SHARD_WS_CLIENT_H_

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace msab::test {

// A WebSocket client made of a socket and RFC 6455 by hand, so that a test may send what no library
// would, and read, or not read, as it likes. Its socket is on loopback and never blocks.
class WsClient {
 public:
  struct Frame {
    uint8_t first = 0;  // FIN and opcode
    std::string payload;
  };
  static constexpr uint8_t kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

  // `receive_buffer`, if not 0, bounds what the kernel takes for a client that doesn't read.
  // `source` is the loopback address that it connects from.
  explicit WsClient(uint16_t port, int receive_buffer = 0, in_addr_t source = INADDR_LOOPBACK)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(source);
    connected_ = bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connected_ && Connect(address);
  }
  ~WsClient() { Hangup(); }
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  void Hangup() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  // The connection ends with a reset.
  void Reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    Hangup();
  }
  void HalfClose() { shutdown(fd_, SHUT_WR); }

  // False if the kernel did not take all of it.
  bool Send(std::string_view bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }

  // A client's frame as it goes over the wire (RFC 6455 §5.2: masked).
  static std::string Framed(uint8_t opcode, std::string_view payload, bool fin = true) {
    std::string bytes;
    bytes.push_back(static_cast<char>((fin ? 0x80 : 0) | opcode));
    if (payload.size() < 126) {
      bytes.push_back(static_cast<char>(0x80 | payload.size()));
    } else if (payload.size() <= 0xffff) {
      bytes.push_back(static_cast<char>(0x80 | 126));
      for (int shift = 8; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>(payload.size() >> shift));
      }
    } else {
      bytes.push_back(static_cast<char>(0x80 | 127));
      for (int shift = 56; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>(uint64_t{payload.size()} >> shift));
      }
    }
    constexpr char kMask[] = {0x37, 0x2a, 0x5c, 0x11};
    bytes.append(kMask, 4);
    for (size_t i = 0; i < payload.size(); ++i) {
      bytes.push_back(static_cast<char>(payload[i] ^ kMask[i % 4]));
    }
    return bytes;
  }
  static std::string ClosePayload(uint16_t code, std::string_view reason = {}) {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} +
           std::string(reason);
  }

  bool SendFrame(uint8_t opcode, std::string_view payload, bool fin = true) {
    return Send(Framed(opcode, payload, fin));
  }
  bool SendText(std::string_view text) { return SendFrame(kText, text); }

  // Reads what has come, at most `max` bytes. True if anything has, the end included.
  bool Pump(size_t max = SIZE_MAX) {
    bool any = false;
    while (max > 0 && fd_ >= 0 && !ended_) {
      char piece[16 * 1024];
      const ssize_t n = recv(fd_, piece, max < sizeof(piece) ? max : sizeof(piece), MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      any = true;
      if (n <= 0) {
        ended_ = true;
        reset_ = n < 0;
        break;
      }
      received_ += static_cast<uint64_t>(n);
      max -= static_cast<size_t>(n);
      buffer_.append(piece, static_cast<size_t>(n));
    }
    Parse();
    return any;
  }

  // What Pump has brought.
  // The HTTP answer's head; with a status other than 101 its body, too.
  const std::string& head() const { return head_; }
  std::deque<Frame>& frames() { return frames_; }
  uint64_t received() const { return received_; }
  bool ended() const { return ended_; }
  bool reset() const { return reset_; }
  // Bytes that are no whole frame yet, or none at all.
  const std::string& rest() const { return buffer_; }
  // A server frame that was masked, fragmented or of a reserved opcode.
  bool faulty() const { return faulty_; }

 private:
  // The kernel completes this without the server's accept. A fuzzer's alarm may interrupt the call;
  // the connection is made all the same (connect(2), EINTR).
  bool Connect(const sockaddr_in& address) {
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
      return true;
    if (errno != EINTR) return false;
    pollfd made{fd_, POLLOUT, 0};
    while (poll(&made, 1, -1) < 0 && errno == EINTR) {
    }
    return made.revents == POLLOUT;
  }

  void Parse() {
    if (!upgraded_) {
      const size_t end = buffer_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      upgraded_ = buffer_.compare(0, 12, "HTTP/1.1 101") == 0;
      head_ = upgraded_ ? buffer_.substr(0, end + 4) : buffer_;
      if (!upgraded_) return;
      buffer_.erase(0, end + 4);
    }
    size_t at = 0;
    while (buffer_.size() - at >= 2) {
      const auto byte = [&](size_t i) { return static_cast<uint8_t>(buffer_[at + i]); };
      const uint8_t first = byte(0);
      uint64_t length = byte(1) & 0x7f;
      size_t header = 2;
      if (length >= 126) {
        const size_t bytes = length == 126 ? 2 : 8;
        if (buffer_.size() - at < 2 + bytes) break;
        length = 0;
        for (size_t i = 0; i < bytes; ++i) length = length << 8 | byte(2 + i);
        header += bytes;
      }
      const uint8_t opcode = first & 0x0f;
      if ((first & 0xf0) != 0x80 || (byte(1) & 0x80) != 0 ||
          (opcode != kText && opcode != kClose && opcode != kPing && opcode != kPong)) {
        faulty_ = true;
        break;
      }
      if (buffer_.size() - at < header + length) break;
      frames_.push_back({first, buffer_.substr(at + header, length)});
      at += header + length;
    }
    buffer_.erase(0, at);
  }

  int fd_;
  bool connected_ = false;
  bool upgraded_ = false;
  bool ended_ = false;
  bool reset_ = false;
  bool faulty_ = false;
  uint64_t received_ = 0;
  std::string head_;
  std::string buffer_;
  std::deque<Frame> frames_;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_UNIT_SHARD_WS_CLIENT_H_
