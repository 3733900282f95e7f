#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "server/dispatch/dispatcher.h"
#include "server/log/memory_log.h"
#include "tests/contract/late_log.h"
#include "tests/support/entries.h"
#include "tests/support/fake_inbox.h"

namespace msab {
namespace {

using test::Durable;
using test::Ephemeral;
using test::FakeInbox;
using test::LateLog;

constexpr int kShards = 2;
constexpr int kRooms = 4;
constexpr int kConnectionsPerShard = 120;
constexpr int kEmitters = 3;
constexpr int kEventsPerEmitter = 2'500;

std::string RoomName(int room) { return "room-" + std::to_string(room); }

// What a shard does with its inbox, in small: connects sessions, joins them to rooms, and delivers,
// checking the order as it goes.
class SmallShard {
 public:
  SmallShard(int index, Dispatcher& dispatcher, FakeInbox& inbox)
      : index_(index), dispatcher_(dispatcher), inbox_(inbox) {}

  void Run(const std::atomic<bool>& done) {
    for (int n = 0; n < kConnectionsPerShard; ++n) {
      Connect(n);
      Turn();
    }
    connected_ = true;
    for (bool last_turn = false; !last_turn;) {
      last_turn = done.load();
      Turn();
      std::this_thread::yield();
    }
  }

  // Any thread
  bool connected() const { return connected_; }

  uint64_t deliveries() const { return deliveries_; }
  int joined() const { return joined_; }

 private:
  struct Session {
    UserId user;
    uint64_t since;
    std::map<std::string, uint64_t> rooms;  // and the number from which on it is in
  };

  void Connect(int n) {
    const std::string id = std::to_string(index_) + "-" + std::to_string(n);
    const UserId user = 1 + n % 40;
    const std::string first = RoomName(n % kRooms);
    auto registration = dispatcher_.Register(
        {id, user, index_, std::make_shared<const std::string>("{}")}, test::Allowed({first}));
    ASSERT_TRUE(registration.ok());
    sessions_[id] = {user, registration->head, {{first, registration->head}}};
    const std::string second = RoomName((n + 1) % kRooms);
    const absl::Status status =
        dispatcher_.Join(id, second, [this, id, second](const Dispatcher::Joined& joined) {
          // After everything up to the cursor, before everything later.
          EXPECT_LE(last_, joined.cursor);
          floor_ = joined.cursor;
          sessions_[id].rooms[second] = joined.cursor;
          ++joined_;
        });
    ASSERT_TRUE(status.ok());
  }

  void Turn() {
    for (InboxItem& item : inbox_.Take()) {
      if (item.task) {
        item.task();
      } else {
        Deliver(*item.entry);
      }
    }
  }

  void Deliver(const Entry& entry) {
    if (entry.sequence != 0) {
      EXPECT_GT(entry.sequence, last_);
      EXPECT_GT(entry.sequence, floor_);
      last_ = entry.sequence;
    }
    if (entry.except_user != 0 || entry.sequence == 0) return;  // counted nowhere
    for (const auto& [id, session] : sessions_) {
      if (entry.sequence <= session.since) continue;
      if (entry.target.kind == Target::Kind::kRoom) {
        const auto room = session.rooms.find(entry.target.room);
        if (room == session.rooms.end() || entry.sequence <= room->second) continue;
      } else if (entry.target.kind == Target::Kind::kUsers &&
                 entry.target.users.front() != session.user) {
        continue;
      }
      ++deliveries_;
    }
  }

  const int index_;
  Dispatcher& dispatcher_;
  FakeInbox& inbox_;
  std::map<std::string, Session> sessions_;
  uint64_t last_ = 0;   // number handled last
  uint64_t floor_ = 0;  // cursor of the join handled last
  uint64_t deliveries_ = 0;
  int joined_ = 0;
  std::atomic<bool> connected_{false};
};

// Several threads emit while others register and join. In each inbox the numbers ascend, each join
// stands between the numbers that its cursor separates, and the answers' counts, added up, are the
// deliveries that took place. `settle` returns when no append is in flight.
void EmitWhileJoining(EventLog& log, absl::FunctionRef<void()> settle) {
  const ManualClock clock;
  const std::unique_ptr<const Catalog> catalog = *Catalog::Create({});
  std::array<FakeInbox, kShards> inboxes;
  Dispatcher dispatcher(*catalog, clock, log, {.max_per_user = 0});
  for (FakeInbox& inbox : inboxes) dispatcher.AddShard(&inbox);
  std::vector<std::unique_ptr<SmallShard>> shards;
  std::vector<std::thread> threads;
  shards.reserve(kShards);
  threads.reserve(kShards);
  std::atomic<bool> done{false};
  for (int i = 0; i < kShards; ++i) {
    shards.push_back(std::make_unique<SmallShard>(i, dispatcher, inboxes[i]));
  }
  for (const auto& shard : shards) {
    threads.emplace_back([&shard, &done] { shard->Run(done); });
  }
  std::atomic<uint64_t> promised{0};
  std::atomic<int> answered{0};
  std::vector<std::thread> emitters;
  emitters.reserve(kEmitters);
  for (int e = 0; e < kEmitters; ++e) {
    emitters.emplace_back([&, e] {
      for (int i = 0; i < kEventsPerEmitter; ++i) {
        std::shared_ptr<Entry> entry;
        switch ((e + i) % 4) {
          case 0:
            entry = Durable(Target::User(1 + i % 40));
            break;
          case 1:
            entry = Durable(Target::Everyone());
            break;
          case 2:
            entry = Ephemeral(Target::Room(RoomName(i % kRooms)));
            break;
          default:
            entry = Durable(Target::Room(RoomName(i % kRooms)));
        }
        const bool counted = entry->type->delivery != DeliveryClass::kEphemeral;
        const auto note = [&, counted](const absl::StatusOr<Dispatched>& result) {
          ASSERT_TRUE(result.ok());
          if (counted) promised += result->recipients.connections;
          ++answered;
        };
        if (i % 5 == 0) {
          dispatcher.DispatchFrom(i % kShards, entry, note);
        } else {
          dispatcher.Dispatch(entry, note);
        }
      }
    });
  }
  for (std::thread& emitter : emitters) emitter.join();
  for (const auto& shard : shards) {
    while (!shard->connected()) std::this_thread::yield();
  }
  settle();
  done = true;
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(answered.load(), kEmitters * kEventsPerEmitter);
  uint64_t deliveries = 0;
  for (const auto& shard : shards) {
    deliveries += shard->deliveries();
    EXPECT_EQ(shard->joined(), kConnectionsPerShard);
  }
  EXPECT_EQ(deliveries, promised.load());
  EXPECT_EQ(dispatcher.Head(), log.Head());
  EXPECT_EQ(dispatcher.stats().appends_in_flight, 0u);
}

TEST(DispatcherConcurrencyTest, EmitWhileJoiningOnAMemoryLog) {
  const ManualClock clock;
  MemoryLog log({}, clock);
  EmitWhileJoining(log, [] {});
}

TEST(DispatcherConcurrencyTest, EmitWhileJoiningOnALogThatCompletesOnItsOwnThread) {
  const ManualClock clock;
  LateLog log({}, clock);
  log.StartThread();
  EmitWhileJoining(log, [&] { log.StopThread(); });
}

}  // namespace
}  // namespace msab
