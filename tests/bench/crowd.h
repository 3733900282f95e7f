#ifndef MSAB_TESTS_BENCH_CROWD_H_
#define MSAB_TESTS_BENCH_CROWD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace msab::bench {

// Many WebSocket clients on one thread and one epoll, made to cost little: they upgrade, answer
// pings, and look at nothing of an event but its number. They speak the native dialect or, as a
// socket.io-client does, Socket.IO. Numbers must ascend for every
// client; a frame that is lost, doubled, out of order or broken ends the bench.
// Main thread only.
class Crowd {
 public:
  // What numbers one client may see one after the other.
  enum class Order {
    kAscending,   // it is not the recipient of every event
    kContiguous,  // it is
  };

  enum class Speech { kNative, kSocketIo };

  // `port` on 127.0.0.1. `room`: what clients of Socket.IO join before they count as live; empty:
  // none.
  explicit Crowd(uint16_t port, Speech speech = Speech::kNative, std::string room = "");
  // Leaves by RST: no TIME_WAIT, which would use up the ports of the next crowd.
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Opens `count` connections, a few hundred at a time, and returns when each has been told `live`,
  // or has the answer to its CONNECT or join. `target(i)` is the request's path and query,
  // `token(i)` goes into the Authorization header, or into CONNECT.
  void Open(size_t count, const std::function<std::string(size_t)>& target,
            const std::function<std::string(size_t)>& token);

  // Handles what is there; waits for something if nothing is. Ten seconds of silence end the bench.
  void Poll();

  // Handles what is there.
  void PollNow() { Poll(0); }

  // Until nothing has come for 300 ms.
  void Drain();

  // From here on every client's numbers are checked from its next event on.
  void Expect(Order order);

  // Every client's next number, also of those that are opened later, is `sequence`.
  void ExpectFrom(uint64_t sequence);

  // Called for every event with its number; received_at() is then the time it was read.
  void OnEvent(std::function<void(uint64_t sequence)> handler) { on_event_ = std::move(handler); }
  std::chrono::steady_clock::time_point received_at() const { return received_at_; }

  size_t size() const { return clients_.size(); }
  uint64_t events() const { return events_; }
  // The size of the last event's frame, header included.
  size_t frame_size() const { return frame_size_; }

 private:
  struct Client {
    enum class State : uint8_t { kUpgrading, kWaiting, kLive };
    int fd = -1;
    State state = State::kUpgrading;
    uint64_t last = 0;    // the number of its last event; 0: not known yet
    std::string pending;  // the beginning of what has not come whole
    std::string token;    // until it is shown in CONNECT
  };

  bool Poll(int timeout_ms);
  void Start(size_t index, const std::string& request);
  void Read(Client& client);
  // Handles whole frames; returns how many bytes they were.
  size_t Consume(Client& client, std::string_view bytes);
  void HandleText(Client& client, std::string_view text);
  // True if it was none of an event.
  bool HandleSocketIo(Client& client, std::string_view text);
  void GoLive(Client& client);
  void HandleEvent(Client& client, std::string_view text);

  const uint16_t port_;
  const Speech speech_;
  const std::string room_;
  const int epoll_;
  std::vector<Client> clients_;
  std::vector<char> buffer_;
  std::function<void(uint64_t)> on_event_;
  Order order_ = Order::kAscending;
  uint64_t last_at_start_ = 0;  // of a client that is opened
  std::chrono::steady_clock::time_point received_at_;
  size_t live_ = 0;
  uint64_t events_ = 0;
  size_t frame_size_ = 0;
};

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_CROWD_H_
