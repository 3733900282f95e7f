#include "tests/bench/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "tests/bench/fail.h"

namespace msab::bench {
namespace {

constexpr size_t kReadSize = 256 << 10;
// Connections being opened at a time: within listen backlogs and the relay's limit of
// unauthenticated ones.
constexpr size_t kWindow = 256;
// Clients of one source address: its ports would run out with many more.
constexpr size_t kPerSource = 10'000;

constexpr uint8_t kText = 0x81;
constexpr uint8_t kClose = 0x88;
constexpr uint8_t kPing = 0x89;
constexpr uint8_t kPong = 0x8A;

// A whole client's frame (RFC 6455 §5.2), masked with zeros: the payload as it is.
void SendFrame(int fd, uint8_t first, std::string_view payload) {
  std::string frame{static_cast<char>(first)};
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size() & 0xff));
  }
  frame.append(4, '\0');
  frame.append(payload);
  if (send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) {
    Fail("a client's frame was not taken");
  }
}

// A close frame's code and reason.
std::string CloseReason(std::string_view payload) {
  if (payload.size() < 2) return "no code";
  const int code = static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]);
  return std::to_string(code) + " " + std::string(payload.substr(2));
}

}  // namespace

Crowd::Crowd(uint16_t port, Speech speech, std::string room)
    : port_(port),
      speech_(speech),
      room_(std::move(room)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kReadSize) {
  if (epoll_ < 0) Fail("epoll_create1 failed");
}

Crowd::~Crowd() {
  for (const Client& client : clients_) {
    const linger abort{.l_onoff = 1, .l_linger = 0};
    setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    close(client.fd);
  }
  close(epoll_);
}

void Crowd::Open(size_t count, const std::function<std::string(size_t)>& target,
                 const std::function<std::string(size_t)>& token) {
  const size_t first = clients_.size();
  clients_.resize(first + count);
  for (size_t i = 0; i < count; ++i) {
    if (speech_ == Speech::kSocketIo) clients_[first + i].token = token(i);
    const std::string authorization =
        speech_ == Speech::kNative ? absl::StrCat("Authorization: Bearer ", token(i), "\r\n") : "";
    // The handshake's key is the RFC's own example: its answer is not looked at.
    Start(first + i,
          absl::StrCat("GET ", target(i), " HTTP/1.1\r\nHost: 127.0.0.1:", port_,
                       "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
                       "Sec-WebSocket-Version: 13\r\n",
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", authorization, "\r\n"));
    while (first + i + 1 - live_ >= kWindow) Poll();
  }
  while (live_ < clients_.size()) Poll();
}

void Crowd::Start(size_t index, const std::string& request) {
  Client& client = clients_[index];
  client.last = last_at_start_;
  client.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client.fd < 0) Fail(absl::StrCat("socket: ", std::system_category().message(errno)));
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<uint32_t>(index / kPerSource));
  const int on = 1;
  setsockopt(client.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  if (bind(client.fd, reinterpret_cast<const sockaddr*>(&source), sizeof(source)) != 0) {
    Fail("bind: " + std::system_category().message(errno));
  }
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.sin_port = htons(port_);
  if (connect(client.fd, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) != 0) {
    Fail(absl::StrCat("connect: ", std::system_category().message(errno)));
  }
  setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (send(client.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    Fail("a client's request was not taken");
  }
  epoll_event interest{.events = EPOLLIN, .data = {.u64 = index}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &interest);
}

void Crowd::Poll() {
  if (!Poll(10'000)) Fail("nothing has come for ten seconds");
}

bool Crowd::Poll(int timeout_ms) {
  std::array<epoll_event, 256> ready;
  const int count = epoll_wait(epoll_, ready.data(), ready.size(), timeout_ms);
  for (int i = 0; i < count; ++i) Read(clients_[ready[static_cast<size_t>(i)].data.u64]);
  return count > 0;
}

void Crowd::Drain() {
  while (Poll(300)) {
  }
}

void Crowd::Expect(Order order) {
  order_ = order;
  for (Client& client : clients_) client.last = 0;
}

void Crowd::ExpectFrom(uint64_t sequence) {
  order_ = Order::kContiguous;
  last_at_start_ = sequence - 1;
  for (Client& client : clients_) client.last = last_at_start_;
}

void Crowd::Read(Client& client) {
  const ssize_t size = recv(client.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) Fail("the server ended a connection");
  received_at_ = std::chrono::steady_clock::now();
  std::string_view bytes(buffer_.data(), static_cast<size_t>(size));
  if (client.pending.empty()) {
    bytes.remove_prefix(Consume(client, bytes));
    client.pending.assign(bytes);
  } else {
    client.pending.append(bytes);
    client.pending.erase(0, Consume(client, client.pending));
  }
  // A whole crowd's buffers would be the load's memory, and its cache misses.
  if (client.pending.empty()) std::string().swap(client.pending);
}

size_t Crowd::Consume(Client& client, std::string_view bytes) {
  size_t used = 0;
  if (client.state == Client::State::kUpgrading) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    if (!bytes.starts_with("HTTP/1.1 101")) {
      Fail("no upgrade: " + std::string(bytes.substr(0, bytes.find("\r\n"))));
    }
    client.state = Client::State::kWaiting;
    used = end + 4;
  }
  while (bytes.size() - used >= 2) {
    const auto* head = reinterpret_cast<const uint8_t*>(bytes.data() + used);
    const size_t available = bytes.size() - used;
    size_t header = 2;
    size_t size = head[1];
    if (size == 126) {
      header = 4;
      if (available < header) break;
      size = static_cast<size_t>(head[2]) << 8 | head[3];
    } else if (size == 127) {  // the participants of a full room
      header = 10;
      if (available < header) break;
      size = 0;
      for (size_t i = 2; i < header; ++i) size = size << 8 | head[i];
    } else if (size > 127) {
      Fail("a masked frame");
    }
    if (available < header + size) break;
    const std::string_view payload = bytes.substr(used + header, size);
    used += header + size;
    switch (head[0]) {
      case kText:
        HandleText(client, payload);
        break;
      case kPing:
        SendFrame(client.fd, kPong, payload);
        break;
      case kClose:
        Fail("a client was closed: " + CloseReason(payload));
      default:
        Fail("a frame that is neither text nor control");
    }
  }
  return used;
}

void Crowd::HandleText(Client& client, std::string_view text) {
  if (speech_ == Speech::kSocketIo) {
    if (!HandleSocketIo(client, text)) HandleEvent(client, text);
    return;
  }
  if (text.starts_with(R"({"event":"live")")) return GoLive(client);
  if (text.starts_with(R"({"event":"welcome")") || text.starts_with(R"({"event":"ping")")) {
    return;
  }
  HandleEvent(client, text);
}

bool Crowd::HandleSocketIo(Client& client, std::string_view text) {
  if (text.starts_with("42")) return false;
  if (text == "2") {
    SendFrame(client.fd, kText, "3");
  } else if (text.starts_with("0{")) {
    SendFrame(client.fd, kText, absl::StrCat(R"(40{"token":")", client.token, "\"}"));
    std::string().swap(client.token);
  } else if (text.starts_with("40{") && !room_.empty()) {
    SendFrame(client.fd, kText, absl::StrCat(R"(420["room:join",{"roomId":")", room_, R"("}])"));
  } else if (text.starts_with("40{") || text.starts_with(R"(430[{"success":true)")) {
    GoLive(client);
  } else {
    Fail("not what a client of Socket.IO waits for: " + std::string(text));
  }
  return true;
}

void Crowd::GoLive(Client& client) {
  if (client.state != Client::State::kWaiting) Fail("live twice");
  client.state = Client::State::kLive;
  ++live_;
}

void Crowd::HandleEvent(Client& client, std::string_view text) {
  // …"cursor":"<epoch>-<sequence>"} or …,"<epoch>-<sequence>"]
  const std::string_view end = speech_ == Speech::kNative ? R"("})" : R"("])";
  if (text.size() < 8 || !text.ends_with(end)) {
    Fail("an event without a cursor at its end: " + std::string(text));
  }
  uint64_t sequence = 0;
  uint64_t place = 1;
  size_t at = text.size() - 3;
  for (; text[at] >= '0' && text[at] <= '9'; --at, place *= 10) {
    sequence += static_cast<uint64_t>(text[at] - '0') * place;
  }
  if (text[at] != '-' || sequence == 0) Fail("a cursor without a number: " + std::string(text));
  if (sequence <= client.last) Fail(absl::StrCat(sequence, " after ", client.last, ": doubled"));
  if (order_ == Order::kContiguous && client.last != 0 && sequence != client.last + 1) {
    Fail(absl::StrCat(sequence, " after ", client.last, ": lost"));
  }
  client.last = sequence;
  ++events_;
  frame_size_ = text.size() + (text.size() < 126 ? 2 : 4);
  if (on_event_) on_event_(sequence);
}

}  // namespace msab::bench
