// Several shards' threads, emitters and clients at once, for ThreadSanitizer above all: connections
// come and go while events are accepted, and still nobody misses anything.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/shard/shards.h"
#include "tests/support/token_maker.h"
#include "tests/unit/shard/harness.h"

namespace msab::test {
namespace {

constexpr int kShards = 3;
constexpr int kUsers = 6;
constexpr int kEmitters = 2;
constexpr uint64_t kEvents = 3000;  // each emitter's

const std::string& Secret() {
  static const std::string secret(32, 'x');
  return secret;
}

// As the Relay composes it, with real threads and the real clock.
struct Threads {
  Threads()
      : catalog(*Catalog::Create({})),
        log({}, Clock::Real()),
        dispatcher(*catalog, Clock::Real(), log, {}),
        commands(*catalog, Clock::Real(), dispatcher, {}) {
    TokenVerifier::Options options;
    options.secrets = {Secret()};
    tokens = *TokenVerifier::Create(options);
    Shard::House house;
    house.clock = &Clock::Real();
    house.dispatcher = &dispatcher;
    house.log = &log;
    house.commands = &*commands;
    house.tokens = tokens.get();
    house.door = &door;
    house.limits = &limits;
    house.dialects[static_cast<size_t>(DialectId::kNative)] = &native;
    shards.emplace(kShards, house, Shard::Options());
  }

  const std::unique_ptr<const Catalog> catalog;
  std::unique_ptr<const TokenVerifier> tokens;
  const Door door{Door::Options()};
  const NativeDialect native{};
  ConnectionLimits limits{ConnectionLimits::Options()};
  MemoryLog log;
  Dispatcher dispatcher;
  LonelyCommands commands;
  std::optional<Shards> shards;
};

// One user's client: it follows with a cursor, leaves now and then without a word, and comes back,
// until it has been told of the end.
class Follower {
 public:
  Follower(Threads& threads, UserId user)
      : threads_(threads), user_(user), cursor_(absl::StrCat(threads.log.epoch(), "-0")) {}

  void Run(const std::atomic<uint64_t>& last) {
    uint64_t seen = 0;
    for (int visit = 0; seen == 0 || seen < last.load(); ++visit) {
      WsClient wire(threads_.shards->port());
      wire.Send(Request());
      // Most visits are short.
      const size_t frames = visit % 8 == 7 ? SIZE_MAX : 50 + 37 * static_cast<size_t>(visit);
      for (size_t n = 0; n < frames && (seen == 0 || seen < last.load());) {
        pollfd waiting{wire.fd(), POLLIN, 0};
        poll(&waiting, 1, 20);
        wire.Pump();
        if (wire.faulty() || wire.ended()) break;
        for (; !wire.frames().empty(); wire.frames().pop_front(), ++n) {
          const std::string& text = wire.frames().front().payload;
          if (StringIn(text, "event") != "test.durable") continue;
          const uint64_t number = NumberOf(text);
          if (number <= seen) ++faults_;
          seen = number;
          ++got_;
          cursor_ = StringIn(text, "cursor");
        }
      }
      if (visit % 3 == 0) wire.SendFrame(WsClient::kClose, WsClient::ClosePayload(1000));
      if (visit % 3 == 1) wire.Reset();
    }
  }

  uint64_t got() const { return got_; }
  uint64_t faults() const { return faults_; }

 private:
  std::string Request() const {
    const std::string claims = absl::StrCat(R"({"sub":")", user_, R"(","exp":)",
                                            Clock::Real().WallMillis() / 1000 + 3600, "}");
    return absl::StrCat("GET /ws?cursor=", cursor_,
                        "&rooms=a HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\n"
                        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ",
                        HmacToken(Secret(), claims), "\r\n\r\n");
  }

  Threads& threads_;
  const UserId user_;
  std::string cursor_;
  uint64_t got_ = 0;
  uint64_t faults_ = 0;
};

TEST(Stress, FollowersMissNothingWhileThreadsEmit) {
  Threads threads;
  ASSERT_TRUE(threads.shards->Listen({"127.0.0.1", 0}).ok());
  threads.shards->Start();

  // The last number, once all is emitted; until then nobody has seen enough.
  std::atomic<uint64_t> last{UINT64_MAX};
  std::vector<std::unique_ptr<Follower>> followers;
  std::vector<std::thread> readers;
  for (UserId user = 1; user <= kUsers; ++user) {
    followers.push_back(std::make_unique<Follower>(threads, user));
    readers.emplace_back([&, follower = followers.back().get()] { follower->Run(last); });
  }
  std::vector<std::thread> emitters;
  std::atomic<uint64_t> refused{0};
  for (int e = 0; e < kEmitters; ++e) {
    emitters.emplace_back([&] {
      for (uint64_t i = 0; i < kEvents; ++i) {
        threads.dispatcher.Dispatch(Durable(Target::Everyone()), [&](auto result) {
          if (!result.ok()) refused.fetch_add(1);
        });
        if (i % 16 == 0) std::this_thread::yield();
      }
    });
  }
  for (std::thread& emitter : emitters) emitter.join();
  // One more, so that the last number is an event of everyone's.
  uint64_t number = 0;
  threads.dispatcher.Dispatch(Durable(Target::Everyone()),
                              [&](auto result) { number = result->sequence; });
  last.store(number);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(refused.load(), 0u);
  for (const auto& follower : followers) {
    EXPECT_EQ(follower->got(), kEmitters * kEvents + 1);
    EXPECT_EQ(follower->faults(), 0u);
  }
  threads.shards->BeginDrain(1);
  threads.shards->Stop();
  EXPECT_EQ(threads.shards->connections(), 0);
}

}  // namespace
}  // namespace msab::test
