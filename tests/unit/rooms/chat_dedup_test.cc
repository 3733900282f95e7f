#include "server/rooms/chat_dedup.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace msab {
namespace {

CommandReply NoReply() {
  return [](const CommandResult&) { ADD_FAILURE() << "answered"; };
}

class ChatDedupTest : public ::testing::Test {
 protected:
  ChatDedup::Verdict Look(ChatDedup& dedup, UserId user, const std::string& client_id) {
    CommandReply reply = NoReply();
    return dedup.Look(user, client_id, 0, reply);
  }

  // A message sent as `id`.
  void Send(ChatDedup& dedup, UserId user, const std::string& client_id, const std::string& id) {
    ChatDedup::Verdict verdict = Look(dedup, user, client_id);
    ASSERT_TRUE(verdict.first);
    EXPECT_TRUE(dedup.Settle(verdict.first, id).empty());
  }

  ManualClock clock_;
};

TEST_F(ChatDedupTest, ARepeatHasTheFirstsId) {
  ChatDedup dedup(clock_, {});
  Send(dedup, 1, "c", "id-1");
  const ChatDedup::Verdict repeat = Look(dedup, 1, "c");
  EXPECT_FALSE(repeat.first);
  EXPECT_FALSE(repeat.waits);
  EXPECT_EQ(repeat.sent, "id-1");
}

TEST_F(ChatDedupTest, AnothersClientIdIsAnotherMessage) {
  ChatDedup dedup(clock_, {});
  Send(dedup, 1, "c", "id-1");
  EXPECT_TRUE(Look(dedup, 2, "c").first);
  EXPECT_TRUE(Look(dedup, 1, "d").first);
}

TEST_F(ChatDedupTest, TheWindowRunsFromTheFirst) {
  ChatDedup dedup(clock_, {.window_ms = 600'000});
  Send(dedup, 1, "c", "id-1");
  clock_.Advance(599'999);
  EXPECT_EQ(Look(dedup, 1, "c").sent, "id-1");
  clock_.Advance(1);
  EXPECT_TRUE(Look(dedup, 1, "c").first);
}

TEST_F(ChatDedupTest, ForgetsWithTime) {
  ChatDedup dedup(clock_, {.window_ms = 1'000});
  for (int i = 0; i < 500; ++i) Send(dedup, i + 1, "c", "id");
  EXPECT_EQ(dedup.size(), 500U);
  clock_.Advance(1'000);
  Look(dedup, 1, "c");
  EXPECT_EQ(dedup.size(), 1U);
}

TEST_F(ChatDedupTest, ARepeatOfOneUnderWayWaitsForIt) {
  ChatDedup dedup(clock_, {});
  const ChatDedup::Verdict first = Look(dedup, 1, "c");
  ASSERT_TRUE(first.first);
  std::string answer;
  CommandReply reply = [&answer](CommandResult result) { answer = std::get<std::string>(result); };
  const ChatDedup::Verdict repeat = dedup.Look(1, "c", 3, reply);
  EXPECT_TRUE(repeat.waits);
  EXPECT_FALSE(repeat.first);
  EXPECT_FALSE(repeat.sent);

  std::vector<ChatDedup::Waiting> waiting = dedup.Settle(first.first, "id-1");
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].shard, 3);
  waiting[0].reply(CommandResult("id-1"));
  EXPECT_EQ(answer, "id-1");
  EXPECT_EQ(Look(dedup, 1, "c").sent, "id-1");
}

TEST_F(ChatDedupTest, AFailureIsForgotten) {
  ChatDedup dedup(clock_, {});
  const ChatDedup::Verdict first = Look(dedup, 1, "c");
  CommandReply reply = NoReply();
  ASSERT_TRUE(dedup.Look(1, "c", 0, reply).waits);
  EXPECT_EQ(dedup.Settle(first.first, std::nullopt).size(), 1U);
  EXPECT_EQ(dedup.size(), 0U);
  EXPECT_TRUE(Look(dedup, 1, "c").first);
}

TEST_F(ChatDedupTest, OneUsersFloodForgetsThatUsersOldestOnly) {
  ChatDedup dedup(clock_, {.max_per_user = 10});
  Send(dedup, 2, "kept", "id-2");
  for (int i = 0; i < 25; ++i) Send(dedup, 1, absl::StrCat("c", i), absl::StrCat("id-", i));
  EXPECT_EQ(dedup.size(), 11U);
  EXPECT_EQ(Look(dedup, 2, "kept").sent, "id-2");
  EXPECT_EQ(Look(dedup, 1, "c15").sent, "id-15");
  EXPECT_TRUE(Look(dedup, 1, "c14").first);
}

TEST_F(ChatDedupTest, IsBoundedInAll) {
  ChatDedup dedup(clock_, {.max_messages = 100});
  for (int user = 1; user <= 250; ++user) Send(dedup, user, "c", "id");
  EXPECT_EQ(dedup.size(), 100U);
  EXPECT_EQ(Look(dedup, 250, "c").sent, "id");
  EXPECT_TRUE(Look(dedup, 150, "c").first);
}

TEST_F(ChatDedupTest, WhoeverWaitsIsAnsweredThoughABoundForgotTheFirst) {
  ChatDedup dedup(clock_, {.max_per_user = 1});
  const ChatDedup::Verdict first = Look(dedup, 1, "c");
  CommandReply reply = NoReply();
  ASSERT_TRUE(dedup.Look(1, "c", 0, reply).waits);
  const ChatDedup::Verdict other = Look(dedup, 1, "d");  // pushes "c" out
  ASSERT_TRUE(other.first);
  const ChatDedup::Verdict again = Look(dedup, 1, "c");  // pushes "d" out
  ASSERT_TRUE(again.first);
  // The first's failure must not take the newer claim with it.
  EXPECT_EQ(dedup.Settle(first.first, std::nullopt).size(), 1U);
  dedup.Settle(again.first, "id-2");
  EXPECT_EQ(Look(dedup, 1, "c").sent, "id-2");
  EXPECT_TRUE(dedup.Settle(other.first, "id-3").empty());
}

TEST_F(ChatDedupTest, OfManyThreadsOneIsFirst) {
  ChatDedup dedup(clock_, {});
  for (int round = 0; round < 50; ++round) {
    const std::string client_id = absl::StrCat("c", round);
    std::vector<ChatDedup::Verdict> verdicts(4);
    std::vector<std::thread> threads;
    threads.reserve(verdicts.size());
    for (ChatDedup::Verdict& verdict : verdicts) {
      threads.emplace_back([&dedup, &client_id, &verdict] {
        CommandReply reply = [](const CommandResult&) {};
        verdict = dedup.Look(1, client_id, 0, reply);
      });
    }
    for (std::thread& thread : threads) thread.join();
    int firsts = 0;
    for (const ChatDedup::Verdict& verdict : verdicts) {
      if (!verdict.first) continue;
      ++firsts;
      EXPECT_EQ(dedup.Settle(verdict.first, "id").size(), 3U);
    }
    EXPECT_EQ(firsts, 1);
  }
}

}  // namespace
}  // namespace msab
