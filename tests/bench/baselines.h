#ifndef MSAB_TESTS_BENCH_BASELINES_H_
#define MSAB_TESTS_BENCH_BASELINES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace msab::bench {

// What the relay is compared with. Each is a process of its own (this program, told by its first
// argument), pinned like the relay and measured like it, and serves for ever. It says on
// Child::kControlFd at which port (uint32), and is told there what to do, by uint32s:
//
//   bare, beast   the number of an event, to be sent to everyone connected
//   wake          a number of round trips between two threads; answered when they are done
//   grpc          nothing: its calls come by gRPC
//
// bare: a loop that send()s a ready frame to every socket. beast: websocket::stream with concrete
// executors and one async_write per message, as its examples do it. grpc: EventService with empty
// methods, on the callback API. wake: two threads that wake each other by eventfd.
[[noreturn]] void ServeBare(size_t frame_size);
[[noreturn]] void ServeBeast(size_t frame_size);
[[noreturn]] void ServeGrpc();
[[noreturn]] void ServeWake();

// A text frame of a given size, header included, with an event's number at its end, where the relay
// has it. Setting the number changes ten bytes in place.
class NumberedFrame {
 public:
  explicit NumberedFrame(size_t frame_size);
  void SetNumber(uint32_t number);
  const std::string& frame() const { return frame_; }
  std::string_view payload() const { return std::string_view(frame_).substr(header_); }

 private:
  size_t header_;
  std::string frame_;
};

// Says the port (baseline side).
void Announce(uint32_t port);
// The next number; ends the process when the bench has gone.
uint32_t NextCommand();

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_BASELINES_H_
