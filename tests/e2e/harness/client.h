#ifndef MSAB_TESTS_E2E_HARNESS_CLIENT_H_
#define MSAB_TESTS_E2E_HARNESS_CLIENT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/harness/json.h"
#include "tests/e2e/harness/relay_process.h"
#include "tests/e2e/harness/ws_client.h"

namespace msab::e2e {

// The dialects of the wire. A client shows what it hears in the native one's shape, whatever it
// speaks, so that one suite serves both.
enum class Speech { kNative, kSocketIo };

// What a connection brings with it.
struct Hello {
  std::string token = {};               // sent as `Authorization: Bearer`; empty: none
  std::string cursor = {};              // as a query parameter
  std::vector<std::string> rooms = {};  // as a query parameter
  Headers headers = {};
  std::string query = {};  // more of it, ready: "token=…"
  std::string source = {};
  int receive_buffer = 0;
  Speech speech = Speech::kNative;
  // Socket.IO: the cursor goes into CONNECT as `auth.cursor`, or as the offset of the session
  // `resume_id`; the rooms are joined by command, unless the session is recovered.
  std::string resume_id = {};
  int64_t user = 0;  // of the token: Socket.IO's answer doesn't tell
};

// A client of the native dialect (`GET /ws`, JSON text frames), or of Socket.IO. Every helper that
// expects something fails the test if it does not come. One thread.
//
// Of Socket.IO, the welcome has `connectionId`, `userId`, `recovered`, `resumeId` and `missed` 0;
// `live` follows at once, and then what was missed. An event's room is that of its data.
class Client {
 public:
  Client(const RelayProcess& relay, const Hello& hello);

  WsClient& socket() { return *socket_; }

  // The first frame's data; the constructor has not read it. Reads it at the first call.
  const Json& Welcome();
  std::string connection_id() { return Text(Welcome(), "connectionId"); }
  std::string cursor() { return Text(Welcome(), "cursor"); }

  // After Welcome: the missed events, as many as it announced, up to `live`, which it checks.
  std::vector<Json> Replay();

  // The next frame; the server's pings are counted and left out. null: none (closed, or too late).
  Json Next(Millis patience = kPatience);

  // The next frame, which must be this event.
  Json Expect(const std::string& event);

  // Frames up to and with the first for which `last` holds.
  std::vector<Json> Until(const std::function<bool(const Json&)>& last);

  // Sends a command and waits for its reply. Frames that came before it stay for Next().
  Json Command(const std::string& event, const std::string& data);

  // The same, for a command that must succeed or fail: the reply's `data`, or the error's code.
  Json Ask(const std::string& event, const std::string& data);
  std::string Refused(const std::string& event, const std::string& data);

  bool Send(const std::string& text) { return socket_->Send(text); }

  // Reads on until the connection ends; the close code (0: none was sent, −1: it did not end).
  int CloseCode(Millis patience = kPatience);
  std::string CloseReason() const { return socket_->close_reason(); }

  int app_pings() const { return app_pings_; }
  const Json& last_ping() const { return last_ping_; }

 private:
  Json Read(Millis patience);
  Json FromSocketIo(std::string_view text);
  void Enter();

  const Hello hello_;
  std::unique_ptr<WsClient> socket_;
  Json welcome_;
  std::deque<Json> waiting_;
  int64_t next_id_ = 1;
  int app_pings_ = 0;
  Json last_ping_;
};

// An event frame as the contract has it, for comparing whole frames: `data` is JSON.
Json EventFrame(const std::string& event, const std::string& data, const std::string& cursor,
                const std::string& room = "");

// Text for a URL's query.
std::string PercentEncoded(const std::string& text);

// The number of a cursor; 0 for none.
uint64_t Sequence(const std::string& cursor);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_CLIENT_H_
