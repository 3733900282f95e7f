#ifndef MSAB_TESTS_E2E_HARNESS_WS_CLIENT_H_
#define MSAB_TESTS_E2E_HARNESS_WS_CLIENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tests/e2e/harness/http.h"
#include "tests/e2e/harness/wait.h"

namespace msab::e2e {

// A WebSocket client that keeps every rule of RFC 6455 and holds the server to them: Beast's own.
// It reads (and so answers pings) only while a test asks it to, which makes a slow reader easy to
// play. One thread.
class WsClient {
 public:
  struct Options {
    std::string host;
    uint16_t port = 0;
    std::string target = "/ws";
    Headers headers;
    std::string source;      // loopback address to connect from; empty: the system's choice
    int receive_buffer = 0;  // SO_RCVBUF; 0: the system's choice
  };

  // Connects and shakes hands; see open().
  explicit WsClient(const Options& options);
  ~WsClient();
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;

  bool open() const;                                  // shaken hands and not closed yet
  int http_status() const;                            // of the answer to the upgrade: 101; 0: none
  std::string Header(const std::string& name) const;  // of that answer

  bool Send(const std::string& text);
  bool SendBinary(const std::string& bytes);

  // The next message. Nothing: the connection ended (see closed()), or none came in time.
  std::optional<std::string> Receive(Millis patience = kPatience);

  // Closes as RFC 6455 says and waits for the peer's close frame. False: it did not come.
  bool Close(int code = 1000);

  // Goes away without a word, with an RST.
  void Drop();

  bool closed() const;               // the connection ended
  int close_code() const;            // of the peer's close frame; 0: it sent none
  std::string close_reason() const;  // of the same
  int pings() const;                 // ping frames received

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_WS_CLIENT_H_
