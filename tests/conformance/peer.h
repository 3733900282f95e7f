#ifndef MSAB_TESTS_CONFORMANCE_PEER_H_
#define MSAB_TESTS_CONFORMANCE_PEER_H_

#include <optional>
#include <string>

#include "tests/conformance/frame.h"
#include "tests/e2e/harness/raw_socket.h"
#include "tests/e2e/harness/relay_process.h"

namespace msab::conformance {

// How a connection ended.
struct Ending {
  int close_code = 0;  // of the server's close frame; 0: it had no body; −1: it sent none
  std::string reason;
  bool ended = false;  // the TCP connection was ended too
};

// A client that keeps no rule unless told to: frames by hand on a raw socket, shaken hands and
// welcomed. One thread.
class Peer {
 public:
  explicit Peer(const e2e::RelayProcess& relay);

  void Send(const ClientFrame& frame) { socket_.Send(Encode(frame)); }
  void SendBytes(const std::string& bytes) { socket_.Send(bytes); }
  // The same, with a pause of the network after every byte.
  void SendByteByByte(const std::string& bytes);

  // The next frame; nothing if the connection ended.
  std::optional<ServerFrame> Next();

  // The next data frame's payload and the next pong's; control frames of other kinds fail.
  std::string NextText();
  std::string NextPong();

  // A text message that the server echoes the id of, and the reply to it.
  static std::string Command(int id, const std::string& padding = "");
  static std::string Reply(int id);
  // True if it still serves: answers one more command.
  bool Alive();

  // Reads to the end of the connection; answers the server's close frame if `answer`.
  Ending End(bool answer = true);

  e2e::RawSocket& socket() { return socket_; }

 private:
  e2e::RawSocket socket_;
};

// The well-known key of RFC 6455, 1.3, and the answer to it.
inline constexpr char kKey[] = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr char kAccept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace msab::conformance

#endif  // MSAB_TESTS_CONFORMANCE_PEER_H_
