// Client commands from several shards at once, each with a thread of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/dispatch/dispatcher.h"
#include "server/log/memory_log.h"
#include "server/rooms/commands.h"
#include "server/shard/shard_inbox.h"
#include "tests/support/lonely_commands.h"
#include "tests/unit/rooms/fake_caller.h"

namespace msab {
namespace {

constexpr int kThreads = 3;
constexpr int kUsers = 3;
constexpr int kSteps = 1'500;
constexpr std::chrono::seconds kPatience{60};

// (user, clientId) → the ids under which it was sent.
using Sent = std::map<std::pair<UserId, std::string>, std::set<std::string>>;

// A shard without sockets: its callers and what they were told. One thread's, but for the inbox.
class BareShard {
 public:
  BareShard(int index, Dispatcher& dispatcher, Commands*& commands)
      : index_(index), dispatcher_(dispatcher), commands_(commands) {
    dispatcher.AddShard(&inbox_);
  }

  // Asks at random, then waits until everybody has been answered.
  void Run(std::atomic<int>& unanswered) {
    const auto profile = std::make_shared<const std::string>(R"({"id":1,"name":"u"})");
    for (UserId user = 1; user <= kUsers; ++user) {
      const std::string id = absl::StrCat("c", index_, "-", user);
      callers_.push_back(std::make_shared<FakeCaller>(id, user, index_, *profile));
      ASSERT_TRUE(dispatcher_.Register({id, user, index_, profile}, {}).ok());
    }
    std::minstd_rand random(static_cast<unsigned>(index_) + 1);
    for (int step = 0; step < kSteps; ++step) {
      Ask(callers_[random() % kUsers], random() % 4, random() % 2 == 0 ? "a" : "b",
          absl::StrCat("k", step / 10), unanswered);
      if (random() % 8 == 0) Drain();
    }
    --unanswered;  // itself
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (unanswered > 0 && std::chrono::steady_clock::now() < deadline) Drain();
  }

  Sent answered;
  Sent shown;

 private:
  void Ask(const std::shared_ptr<FakeCaller>& caller, unsigned what, const std::string& room,
           const std::string& client_id, std::atomic<int>& unanswered) {
    static constexpr std::string_view kNames[] = {"room:join", "room:leave", "chat:message",
                                                  "gift:send"};
    const boost::json::value data =
        boost::json::parse(absl::StrCat(R"({"roomId":")", room, R"(","content":"hi","clientId":")",
                                        client_id, R"(","giftId":7,"recipientId":9})"));
    ++unanswered;
    commands_->Handle(
        caller, kNames[what], data,
        [this, what, user = caller->user(), client_id, &unanswered,
         thread = std::this_thread::get_id()](const CommandResult& result) {
          EXPECT_EQ(std::this_thread::get_id(), thread);
          const auto* text = std::get_if<std::string>(&result);
          if (what == 2 && text != nullptr) {
            answered[{user, client_id}].emplace(boost::json::parse(*text).at("id").as_string());
          }
          --unanswered;
        });
  }

  void Drain() {
    items_.clear();
    inbox_.TakeAll(items_);
    for (InboxItem& item : items_) {
      if (item.task) {
        item.task();
      } else if (item.entry->name == "chat:message") {
        const boost::json::value chat = boost::json::parse(item.entry->payload);
        shown[{chat.at("userId").as_int64(), std::string(chat.at("clientId").as_string())}].insert(
            item.entry->event_id);
      }
    }
    inbox_.Handled(items_.size());
  }

  const int index_;
  Dispatcher& dispatcher_;
  Commands*& commands_;
  ShardInbox inbox_{1 << 16, [] {}};
  std::vector<std::shared_ptr<FakeCaller>> callers_;
  std::vector<InboxItem> items_;
};

TEST(CommandsConcurrency, EveryCommandIsAnsweredOnceOnItsThreadAndEveryClientIdIsOneMessage) {
  const std::unique_ptr<const Catalog> catalog = Catalog::Create({}).value();
  MemoryLog log({}, Clock::Real());
  Dispatcher dispatcher(*catalog, Clock::Real(), log, {});
  Commands* handler = nullptr;
  std::vector<std::unique_ptr<BareShard>> shards;
  for (int i = 0; i < kThreads; ++i) {
    shards.push_back(std::make_unique<BareShard>(i, dispatcher, handler));
  }
  test::LonelyCommands commands(*catalog, Clock::Real(), dispatcher,
                                {.chat = {.per_minute = 1'000'000, .dedup = {}}});
  handler = &*commands;

  // A shard counts as one of them until it has asked all: none stops while another may need it.
  std::atomic<int> unanswered{kThreads};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (const auto& shard : shards) {
    threads.emplace_back([&shard = *shard, &unanswered] { shard.Run(unanswered); });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(unanswered, 0);
  Sent answered;
  Sent shown;
  for (const auto& shard : shards) {
    for (const auto& [key, ids] : shard->answered) answered[key].insert(ids.begin(), ids.end());
    for (const auto& [key, ids] : shard->shown) shown[key].insert(ids.begin(), ids.end());
  }
  EXPECT_GT(answered.size(), 50U);
  for (const auto& [key, ids] : answered) EXPECT_EQ(ids.size(), 1U) << key.second;
  for (const auto& [key, ids] : shown) EXPECT_EQ(ids, answered[key]) << key.second;
}

}  // namespace
}  // namespace msab
