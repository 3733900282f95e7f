#ifndef MSAB_TESTS_E2E_HARNESS_RAW_SOCKET_H_
#define MSAB_TESTS_E2E_HARNESS_RAW_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/e2e/harness/wait.h"

namespace msab::e2e {

// A TCP connection that sends and receives exactly the bytes it is told to: for HTTP requests and
// for what no WebSocket library would let a test send. One thread.
class RawSocket {
 public:
  // `source`: the loopback address to connect from; empty: the system's choice. Fails the test if
  // nobody listens.
  RawSocket(const std::string& host, uint16_t port, const std::string& source = "");
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept;
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // False if the peer is gone.
  bool Send(std::string_view bytes);

  // No more bytes will be sent (FIN).
  void FinishSending();

  // Goes away at once, with an RST.
  void Reset();

  // Appends what arrives to `buffer()`. False at the end of the stream or past `deadline`.
  bool ReadSome(SteadyTime deadline);

  // Reads until `buffer()` has at least `size` bytes, or holds `mark` (npos: it never came).
  bool ReadAtLeast(size_t size, Millis patience = kPatience);
  size_t ReadThrough(std::string_view mark, Millis patience = kPatience);

  // Reads to the end of the stream; false if the peer has not ended it in time.
  bool ReadToEnd(Millis patience = kPatience);

  // What was received and not yet taken.
  std::string& buffer() { return buffer_; }

  // Takes the first `size` bytes of the buffer.
  std::string Take(size_t size);

  // True once the peer has ended the stream, orderly or by a reset.
  bool ended() const { return ended_; }

  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  bool ended_ = false;
  std::string buffer_;
};

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_RAW_SOCKET_H_
