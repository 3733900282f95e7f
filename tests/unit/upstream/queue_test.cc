#include "server/upstream/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json/parse.hpp"

namespace msab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A queue whose transport is the test.
class QueueTest : public ::testing::Test {
 protected:
  QueueTest() { Configure({}); }

  void Configure(WebhookQueue::Options options) {
    queue_ = std::make_unique<WebhookQueue>(clock_, std::move(options), stats_);
  }

  // A command of this user, named by its data. Its outcomes are journaled as "name: outcome".
  void Submit(int64_t user, const std::string& name, size_t padding = 0) {
    stats_.unanswered.Add();
    queue_->Submit({.type = "gift:send",
                    .user = user,
                    .connection_id = "conn",
                    .data = absl::StrCat(R"({"name":")", name, R"(","padding":")",
                                         std::string(padding, 'x'), "\"}")},
                   [this, name](WebhookResult result) {
                     std::string text = name + ": ";
                     text += WebhookStats::kResults[static_cast<size_t>(result.kind)];
                     if (result.late) text += " late";
                     if (!result.code.empty()) absl::StrAppend(&text, " ", result.code);
                     journal_.push_back(text);
                   });
  }

  // What is to go now, by the names in each message.
  std::vector<std::string> Launch() {
    queue_->Tick();
    std::vector<std::string> launched;
    while (std::optional<WebhookAttempt> attempt = queue_->Take()) {
      std::vector<std::string> names;
      std::vector<std::string> ids;
      const boost::json::value body = boost::json::parse(attempt->body);
      for (const boost::json::value& command : body.at("commands").as_array()) {
        names.emplace_back(command.at("data").at("name").as_string());
        ids.emplace_back(command.at("id").as_string());
      }
      launched.push_back(absl::StrJoin(names, " "));
      by_name_[launched.back()] = attempt->id;
      ids_[attempt->id] = ids;
      last_ = *std::move(attempt);
    }
    return launched;
  }

  // The application's answer to the message with these names: 200, a status for each in order.
  void Answer(const std::string& names, const std::vector<std::string>& statuses) {
    const uint64_t attempt = by_name_.at(names);
    std::vector<std::string> results;
    for (size_t i = 0; i < statuses.size(); ++i) {
      if (statuses[i].empty()) continue;
      results.push_back(
          absl::StrCat(R"({"id":")", ids_[attempt].at(i), R"(","status":)", statuses[i], "}"));
    }
    queue_->Answer(attempt,
                   {.status = 200,
                    .body = absl::StrCat(R"({"results":[)", absl::StrJoin(results, ","), "]}")});
  }
  void Status(const std::string& names, int status, std::optional<int64_t> retry_after = {}) {
    queue_->Answer(by_name_.at(names), {.status = status, .retry_after_ms = retry_after});
  }

  std::vector<std::string> Journal() { return std::exchange(journal_, {}); }

  static constexpr const char* kYes = R"("accepted")";
  static constexpr const char* kNo = R"("rejected","code":"NO","reason":"no")";
  static constexpr const char* kRetry = R"("retry")";

  ManualClock clock_;
  WebhookStats stats_;
  std::unique_ptr<WebhookQueue> queue_;
  std::vector<std::string> journal_;
  std::map<std::string, uint64_t> by_name_;
  std::map<uint64_t, std::vector<std::string>> ids_;
  WebhookAttempt last_;
};

TEST_F(QueueTest, ACommandGoesAtOnceAsTheContractHasIt) {
  Submit(42, "a");
  EXPECT_THAT(Launch(), ElementsAre("a"));
  EXPECT_EQ(last_.body,
            R"({"v":1,"commands":[{"id":"c1","type":"gift:send",)"
            R"("receivedAt":"2026-01-01T00:00:00.000Z","user":{"id":42},"connectionId":"conn",)"
            R"("data":{"name":"a","padding":""}}]})");
  EXPECT_THAT(last_.message_id, HasSubstr("msg_"));
  EXPECT_EQ(last_.give_up, clock_.SteadyMillis() + 30'000);
  Answer("a", {kYes});
  EXPECT_THAT(Journal(), ElementsAre("a: accepted"));
  EXPECT_EQ(stats_.unanswered.Value(), 0);
  EXPECT_EQ(stats_.waiting.Value(), 0);
  EXPECT_EQ(stats_.in_flight.Value(), 0);
}

TEST_F(QueueTest, WhatWaitsWhileNoConnectionIsFreeIsTheNextBatch) {
  Configure({.max_in_flight = 2});
  Submit(1, "a");
  EXPECT_THAT(Launch(), ElementsAre("a"));
  Submit(2, "b");
  EXPECT_THAT(Launch(), ElementsAre("b"));
  Submit(3, "c");
  Submit(4, "d");
  Submit(5, "e");
  EXPECT_THAT(Launch(), IsEmpty());
  Answer("b", {kNo});
  EXPECT_THAT(Launch(), ElementsAre("c d e"));
  Answer("c d e", {kYes, kNo, kYes});
  EXPECT_THAT(Journal(),
              ElementsAre("b: rejected NO", "c: accepted", "d: rejected NO", "e: accepted"));
}

TEST_F(QueueTest, OneUsersCommandsAreNeverInTwoBatches) {
  Submit(1, "a1");
  EXPECT_THAT(Launch(), ElementsAre("a1"));
  Submit(1, "a2");
  Submit(2, "b1");
  Submit(1, "a3");
  EXPECT_THAT(Launch(), ElementsAre("b1"));
  Answer("b1", {kYes});
  EXPECT_THAT(Launch(), IsEmpty());
  Answer("a1", {kYes});
  EXPECT_THAT(Launch(), ElementsAre("a2 a3"));
}

TEST_F(QueueTest, AUserWaitsForItsRetryToo) {
  Submit(1, "a1");
  Launch();
  Status("a1", 503);
  Submit(1, "a2");
  Submit(2, "b1");
  EXPECT_THAT(Launch(), ElementsAre("b1"));
  clock_.Advance(100);
  EXPECT_THAT(Launch(), ElementsAre("a1"));
  Answer("a1", {kYes});
  EXPECT_THAT(Launch(), ElementsAre("a2"));
}

TEST_F(QueueTest, ABatchHasThirtyTwoCommandsAtMost) {
  Configure({.max_in_flight = 1});
  Submit(1, "first");
  Launch();
  for (int i = 0; i < 40; ++i) Submit(2 + i, absl::StrCat("n", i));
  Answer("first", {kYes});
  const auto launched = Launch();
  ASSERT_THAT(launched, SizeIs(1));
  EXPECT_THAT(ids_[last_.id], SizeIs(32));
  Answer(launched[0], {});
  EXPECT_THAT(Launch(), ElementsAre("n32 n33 n34 n35 n36 n37 n38 n39"));
}

TEST_F(QueueTest, ABodyIsNoLargerThanItMay) {
  Configure({.max_body = 1'000, .max_in_flight = 1});
  Submit(1, "first");
  Launch();
  Submit(2, "b", 300);
  Submit(3, "c", 300);
  Submit(4, "d", 300);
  Submit(5, "huge", 1'000);
  EXPECT_THAT(Journal(), ElementsAre("huge: failed"));
  Answer("first", {kYes});
  EXPECT_THAT(Launch(), ElementsAre("b c"));
  EXPECT_LE(last_.body.size(), 1'000U);
  Answer("b c", {kYes, kYes});
  EXPECT_THAT(Launch(), ElementsAre("d"));
}

TEST_F(QueueTest, AFailureGoesAgainUnderTheSameIdWithDoublingWaits) {
  Submit(1, "a");
  Launch();
  const std::string id = last_.message_id;
  const std::string body = last_.body;
  int64_t waited = 0;
  for (const int64_t wait : {100, 200, 400, 800, 1'600}) {
    Status("a", 500);
    EXPECT_EQ(queue_->NextTick(), clock_.SteadyMillis() + wait);
    clock_.Advance(wait - 1);
    EXPECT_THAT(Launch(), IsEmpty()) << wait;
    clock_.Advance(1);
    waited += wait;
    EXPECT_THAT(Launch(), ElementsAre("a"));
    EXPECT_EQ(last_.message_id, id);
    EXPECT_EQ(last_.body, body);
  }
  // The next doubling would be past the deadline: a last attempt goes shortly before it.
  Status("a", 500);
  clock_.Advance(5'000 - waited - 250);
  EXPECT_THAT(Launch(), ElementsAre("a"));
  Status("a", 500);
  clock_.Advance(249);
  EXPECT_THAT(Launch(), IsEmpty());
  EXPECT_THAT(Journal(), IsEmpty());
  clock_.Advance(1);
  EXPECT_THAT(Launch(), IsEmpty());
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable"));
  EXPECT_EQ(stats_.unanswered.Value(), 0);
  EXPECT_EQ(queue_->NextTick(), std::numeric_limits<int64_t>::max());
}

TEST_F(QueueTest, JitterStretchesAWaitByHalfAtMost) {
  Configure({.jitter = [] { return 0.999; }});
  Submit(1, "a");
  Launch();
  Status("a", 500);
  EXPECT_EQ(queue_->NextTick(), clock_.SteadyMillis() + 149);
}

TEST_F(QueueTest, EveryFailureThatPassesIsRetried) {
  for (const int status : {0, 408, 425, 429, 500, 502, 503, 504, 404, 405, 204, 201, 100}) {
    Submit(1, "a");
    ASSERT_THAT(Launch(), ElementsAre("a")) << status;
    Status("a", status);
    clock_.Advance(100);
    EXPECT_THAT(Launch(), ElementsAre("a")) << status;
    Answer("a", {kYes});
    EXPECT_THAT(Journal(), ElementsAre("a: accepted"));
  }
  Submit(1, "a");
  Launch();
  queue_->Answer(by_name_["a"], {.status = 200, .body = "<html>"});
  clock_.Advance(100);
  EXPECT_THAT(Launch(), ElementsAre("a"));
}

TEST_F(QueueTest, RetryAfterIsHeard) {
  Submit(1, "a");
  Launch();
  Status("a", 503, 2'000);
  clock_.Advance(1'999);
  EXPECT_THAT(Launch(), IsEmpty());
  clock_.Advance(1);
  EXPECT_THAT(Launch(), ElementsAre("a"));
  // Sooner than we would come anyway.
  Status("a", 429, 0);
  clock_.Advance(199);
  EXPECT_THAT(Launch(), IsEmpty());
  clock_.Advance(1);
  EXPECT_THAT(Launch(), ElementsAre("a"));
  // Beyond the deadline: there is no further attempt.
  Status("a", 503, 3'600'000);
  Submit(1, "b");
  clock_.Advance(2'799);
  EXPECT_THAT(Launch(), IsEmpty());
  clock_.Advance(1);
  EXPECT_THAT(Launch(), ElementsAre("b")) << "its user waits no longer than it does";
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable"));
}

TEST_F(QueueTest, AStaleConnectionCostsNoWait) {
  Submit(1, "a");
  Launch();
  queue_->Answer(by_name_["a"], {.status = 0, .stale = true});
  EXPECT_THAT(Launch(), ElementsAre("a"));
  queue_->Answer(by_name_["a"], {.status = 0, .stale = true});
  EXPECT_THAT(Launch(), IsEmpty()) << "twice in a row is no accident";
}

TEST_F(QueueTest, AResultMayAskForARetry) {
  Configure({.max_in_flight = 1});
  Submit(9, "first");
  Launch();
  Submit(1, "a");
  Submit(2, "b");
  Submit(3, "c");
  Submit(4, "d");
  Answer("first", {kYes});
  ASSERT_THAT(Launch(), ElementsAre("a b c d"));
  const std::string id = last_.message_id;
  Answer("a b c d", {kYes, R"("retry","retryAfterMs":500)", "", kRetry});
  EXPECT_THAT(Journal(), ElementsAre("first: accepted", "a: accepted"));
  clock_.Advance(100);
  EXPECT_THAT(Launch(), ElementsAre("c d"));
  EXPECT_NE(last_.message_id, id) << "other commands are another message";
  Answer("c d", {kYes, kYes});
  clock_.Advance(400);
  EXPECT_THAT(Launch(), ElementsAre("b"));
}

TEST_F(QueueTest, ARetryOfAllIsTheSameMessage) {
  Submit(1, "a");
  Launch();
  const std::string id = last_.message_id;
  Answer("a", {R"("retry","retryAfterMs":300)"});
  clock_.Advance(299);
  EXPECT_THAT(Launch(), IsEmpty());
  clock_.Advance(1);
  EXPECT_THAT(Launch(), ElementsAre("a"));
  EXPECT_EQ(last_.message_id, id);
  // A retry at once would be a loop.
  Answer("a", {R"("retry","retryAfterMs":0)"});
  EXPECT_THAT(Launch(), IsEmpty());
  clock_.Advance(100);
  EXPECT_THAT(Launch(), ElementsAre("a"));
}

TEST_F(QueueTest, OneUsersRetriesStayTogetherAndInOrder) {
  Configure({.max_in_flight = 1});
  Submit(9, "first");
  Launch();
  for (const char* name : {"a1", "a2", "a3"}) Submit(1, name);
  Answer("first", {kYes});
  ASSERT_THAT(Launch(), ElementsAre("a1 a2 a3"));
  Answer("a1 a2 a3", {R"("retry","retryAfterMs":100)", kYes, R"("retry","retryAfterMs":400)"});
  Submit(1, "a4");
  clock_.Advance(399);
  EXPECT_THAT(Launch(), IsEmpty());
  clock_.Advance(1);
  EXPECT_THAT(Launch(), ElementsAre("a1 a3"));
  Answer("a1 a3", {kYes, kYes});
  EXPECT_THAT(Launch(), ElementsAre("a4"));
}

TEST_F(QueueTest, ARefusedBatchIsSentOneByOneOnce) {
  for (const int status : {400, 413, 422}) {
    Configure({.max_in_flight = 8});
    std::vector<std::string> fill;
    for (int i = 0; i < 8; ++i) {
      Submit(100 + i, absl::StrCat("f", i));
      Launch();
    }
    Submit(1, "a1");
    Submit(2, "b");
    Submit(1, "a2");
    for (int i = 0; i < 8; ++i) Answer(absl::StrCat("f", i), {kYes});
    ASSERT_THAT(Launch(), ElementsAre("a1 a2 b"));
    Journal();
    Status("a1 a2 b", status);
    Submit(1, "a3");
    // A user's own one after the other.
    EXPECT_THAT(Launch(), ElementsAre("a1", "b"));
    Status("a1", status);
    EXPECT_THAT(Launch(), ElementsAre("a2"));
    Answer("a2", {kYes});
    Status("b", 503);
    EXPECT_THAT(Launch(), ElementsAre("a3"));
    clock_.Advance(100);
    EXPECT_THAT(Launch(), ElementsAre("b"));
    Answer("b", {kYes});
    EXPECT_THAT(Journal(), ElementsAre("a1: failed", "a2: accepted", "b: accepted"));
  }
}

TEST_F(QueueTest, ARefusedCommandGoesAloneOnceMoreUnderTheSameId) {
  Submit(1, "a");
  Launch();
  const std::string id = last_.message_id;
  Status("a", 413);
  EXPECT_THAT(Launch(), ElementsAre("a"));
  EXPECT_EQ(last_.message_id, id);
  Status("a", 413);
  EXPECT_THAT(Launch(), IsEmpty());
  EXPECT_THAT(Journal(), ElementsAre("a: failed"));
}

TEST_F(QueueTest, AFlatNoOpensTheBreaker) {
  for (const int status : {401, 403, 301, 302, 307, 308}) {
    Configure({.max_in_flight = 2});
    EXPECT_TRUE(queue_->Health().ok());
    Submit(1, "a");
    Submit(2, "b");
    Launch();
    Submit(1, "a2");
    Submit(3, "c");
    Launch();
    Status("a b", status);
    EXPECT_THAT(Journal(), ElementsAre("a: unavailable", "b: unavailable", "a2: unavailable"))
        << status;
    EXPECT_THAT(std::string(queue_->Health().message()), HasSubstr(absl::StrCat(status)));
    Submit(4, "d");
    EXPECT_THAT(Journal(), ElementsAre("d: unavailable"));
    // What was under way is still heard, and lets us in again.
    Answer("c", {kYes});
    EXPECT_TRUE(queue_->Health().ok());
    EXPECT_THAT(Journal(), ElementsAre("c: accepted"));
    Submit(5, "e");
    EXPECT_THAT(Launch(), ElementsAre("e"));
  }
}

TEST_F(QueueTest, AnOpenBreakerTriesOneAfterAWhile) {
  Submit(1, "a");
  Launch();
  Status("a", 401);
  clock_.Advance(4'999);
  Submit(2, "b");
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable", "b: unavailable"));
  clock_.Advance(1);
  Submit(3, "c");
  Submit(4, "d");
  EXPECT_THAT(Launch(), ElementsAre("c d"));
  Submit(5, "e");
  EXPECT_THAT(Launch(), IsEmpty()) << "one at a time";
  Status("c d", 401);
  EXPECT_THAT(Journal(), ElementsAre("c: unavailable", "d: unavailable", "e: unavailable"));
  clock_.Advance(5'000);
  Submit(6, "f");
  EXPECT_THAT(Launch(), ElementsAre("f"));
  Answer("f", {kYes});
  EXPECT_TRUE(queue_->Health().ok());
  Submit(7, "g");
  EXPECT_THAT(Launch(), ElementsAre("g"));
  Submit(8, "h");
  EXPECT_THAT(Launch(), ElementsAre("h"));
  EXPECT_EQ(stats_.breaker_opened.Value(), 1);
}

TEST_F(QueueTest, ALateYesIsSaidALateNoIsNot) {
  Submit(1, "a");
  Submit(2, "b");
  Launch();
  Submit(1, "a2");
  clock_.Advance(5'000);
  Launch();
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable", "b: unavailable", "a2: unavailable"));
  clock_.Advance(25'000);
  Answer("a b", {kYes, kNo});
  EXPECT_THAT(Journal(), ElementsAre("a: accepted late"));
  EXPECT_THAT(Launch(), IsEmpty());
  EXPECT_EQ(stats_.unanswered.Value(), 0);
}

TEST_F(QueueTest, ALateYesCanBeTooLate) {
  Submit(1, "a");
  Launch();
  clock_.Advance(5'000);
  Launch();
  clock_.Advance(25'001);
  Answer("a", {kYes});
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable"));
}

TEST_F(QueueTest, WhatIsPastItsDeadlineIsNotSentAgain) {
  Configure({.max_in_flight = 1});
  Submit(1, "a");
  Launch();
  clock_.Advance(3'000);
  Submit(2, "b");
  Submit(3, "c");
  Status("a", 500, 3'000);
  EXPECT_THAT(Launch(), ElementsAre("b c"));
  clock_.Advance(2'000);
  Launch();
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable"));
  Status("b c", 500);
  clock_.Advance(100);
  EXPECT_THAT(Launch(), ElementsAre("b c"));
}

TEST_F(QueueTest, AMessageLosesItsExpiredCommandsAndThenIsAnother) {
  Configure({.max_in_flight = 1});
  Submit(9, "first");
  Launch();
  Submit(1, "a");
  clock_.Advance(2'000);
  Submit(2, "b");
  Answer("first", {kYes});
  ASSERT_THAT(Launch(), ElementsAre("a b"));
  const std::string id = last_.message_id;
  Journal();
  clock_.Advance(2'950);
  Status("a b", 500);
  clock_.Advance(100);
  EXPECT_THAT(Launch(), ElementsAre("b"));
  EXPECT_NE(last_.message_id, id);
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable"));
}

TEST_F(QueueTest, IsBounded) {
  Configure({.max_in_flight = 1, .max_commands = 4, .max_per_user = 2});
  Submit(1, "a");
  Launch();
  Submit(1, "a2");
  Submit(1, "a3");
  EXPECT_THAT(Journal(), ElementsAre("a3: overloaded"));
  Submit(2, "b");
  Submit(3, "c");
  Submit(4, "d");
  EXPECT_THAT(Journal(), ElementsAre("d: overloaded"));
  Answer("a", {kYes});
  Submit(4, "d");
  EXPECT_THAT(Journal(), ElementsAre("a: accepted"));
  EXPECT_THAT(Launch(), ElementsAre("b c a2 d"));
}

TEST_F(QueueTest, TellsOfAnApplicationThatIsDown) {
  Submit(1, "a");
  Launch();
  for (const int64_t wait : {100, 200}) {
    queue_->Answer(by_name_["a"], {.status = 0, .failure = "connecting: refused"});
    EXPECT_TRUE(queue_->Health().ok());
    clock_.Advance(wait);
    Launch();
  }
  queue_->Answer(by_name_["a"], {.status = 0, .failure = "connecting: refused"});
  EXPECT_THAT(std::string(queue_->Health().message()), HasSubstr("connecting: refused"));
  clock_.Advance(400);
  Launch();
  Answer("a", {kNo});
  EXPECT_TRUE(queue_->Health().ok());
}

TEST_F(QueueTest, GivesUpOnAllAtOnce) {
  Configure({.max_in_flight = 1});
  Submit(1, "a");
  Launch();
  Submit(2, "b");
  queue_->GiveUp();
  EXPECT_THAT(Journal(), ElementsAre("a: unavailable", "b: unavailable"));
  EXPECT_EQ(stats_.unanswered.Value(), 0);
  Answer("a", {kYes});
  EXPECT_THAT(Journal(), ElementsAre("a: accepted late"));
  EXPECT_THAT(Launch(), IsEmpty());
}

}  // namespace
}  // namespace msab
