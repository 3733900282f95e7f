#ifndef MSAB_TESTS_UNIT_SHARD_HARNESS_H_
#define MSAB_TESTS_UNIT_SHARD_HARNESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/dispatch/dispatcher.h"
#include "server/log/memory_log.h"
#include "server/log/memory_resume_store.h"
#include "server/protocol/native_dialect.h"
#include "server/protocol/socketio_dialect.h"
#include "server/session/door.h"
#include "server/session/limits.h"
#include "server/session/token_verifier.h"
#include "server/shard/shard.h"
#include "tests/support/entries.h"
#include "tests/support/lonely_commands.h"
#include "tests/unit/shard/ws_client.h"

namespace msab::test {

// The settings of a TestHouse; the defaults never refuse anything by rate.
struct HouseOptions {
  HouseOptions();

  int shards = 1;
  MemoryLog::Options log;
  MemoryResumeStore::Options resumes;
  Dispatcher::Options dispatcher;
  Shard::Options shard;
  ConnectionLimits::Options limits;
  Door::Options door;
};

// The house from the Dispatcher down, with real sockets on loopback and a clock that a test moves.
// No thread runs: everything happens in Turn, so a test decides what comes before what.
class TestHouse {
 public:
  // `commands`, if given, stands in for the real ones.
  explicit TestHouse(HouseOptions options = {}, CommandHandler* commands = nullptr);
  ~TestHouse();

  Shard& shard(int i = 0) { return *shards_[static_cast<size_t>(i)]; }
  const ShardCounters& counters(int i = 0) { return shard(i).read_counters(); }
  Dispatcher& dispatcher() { return dispatcher_; }
  MemoryLog& log() { return log_; }
  MemoryResumeStore& resumes() { return resumes_; }
  ManualClock& clock() { return clock_; }
  ConnectionLimits& limits() { return limits_; }

  // Dispatches; it must be accepted.
  Dispatched Emit(std::shared_ptr<Entry> entry);

  // One turn of every shard. True if anything ran.
  bool Turn();
  // Turns until `done`, or fails the test.
  void Until(const std::function<bool()>& done, std::string_view what);
  // Turns until nothing is left to do. What a socket has yet to bring may come later: to see that
  // something has *not* happened, wait for something that would have come after it.
  void Settle();
  // Moves the clock in steps of `step`, with turns in between.
  void Pass(int64_t millis, int64_t step = 1000);

  // A token that is good until `lifetime` ms from now.
  std::string Token(UserId user, int64_t lifetime = 3'600'000);

 private:
  ManualClock clock_;
  std::unique_ptr<const Catalog> catalog_;
  std::unique_ptr<const TokenVerifier> tokens_;
  Door door_;
  const NativeDialect native_;
  const SocketIoDialect socketio_;
  ConnectionLimits limits_;
  MemoryLog log_;
  MemoryResumeStore resumes_;
  Dispatcher dispatcher_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<LonelyCommands> commands_;
};

// What a client brings to its upgrade.
struct Login {
  UserId user = 1;
  std::string token = {};   // empty: a good one of `user`
  bool bare = false;        // no token at all
  std::string cursor = {};  // empty: none
  std::string rooms = {};   // comma-separated
  int64_t lifetime = 3'600'000;
  std::string headers = {};  // further lines, each with its CRLF
};

// A client of one shard of a TestHouse. Every call that waits turns the house meanwhile.
class Client {
 public:
  // Connects, upgrades, and stops there.
  Client(TestHouse& house, const Login& login, int shard = 0, int receive_buffer = 0);
  // The same, and waits until it is live.
  static std::unique_ptr<Client> Live(TestHouse& house, const Login& login = {}, int shard = 0,
                                      int receive_buffer = 0);

  WsClient& wire() { return wire_; }

  // The next text frame, protocol pings passed over; empty, and the test has failed, if none comes.
  std::string Next();
  // Text frames up to now: those before the answer to a command that is sent for this.
  std::vector<std::string> Texts();
  // Sends a command and returns its answer; the frames before it are kept for Next.
  std::string Ask(const std::string& event, const std::string& data);
  // Waits for the server's close frame, answers it, and sees the connection end in order. Text
  // frames before it are kept for Next. 0, and the test has failed, if none comes.
  uint16_t Closed();
  const std::string& close_reason() const { return close_reason_; }

  // As welcomed.
  const std::string& welcome() const { return welcome_; }
  std::string connection_id() const;

 private:
  std::optional<std::string> TakeText();

  TestHouse& house_;
  WsClient wire_;
  int64_t last_id_ = 1'000'000;
  std::string welcome_;
  std::string close_reason_;
};

// Of a frame: the string under `key` at its top; empty if there is none.
std::string StringIn(std::string_view frame, std::string_view key);
// Of an event frame: its number; 0 if it has none.
uint64_t NumberOf(std::string_view frame);
// Their numbers, in order.
std::vector<uint64_t> NumbersOf(const std::vector<std::string>& frames);

}  // namespace msab::test

#endif  // MSAB_TESTS_UNIT_SHARD_HARNESS_H_
