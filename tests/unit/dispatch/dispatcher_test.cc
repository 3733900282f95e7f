#include "server/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/log/memory_log.h"
#include "tests/contract/late_log.h"
#include "tests/support/entries.h"
#include "tests/support/fake_inbox.h"

namespace msab {
namespace {

using test::Allowed;
using test::Durable;
using test::Ephemeral;
using test::FakeInbox;
using test::LateLog;
using test::Latest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Catalog& TestCatalog() {
  static const Catalog* const catalog = Catalog::Create({})->release();
  return *catalog;
}

// The dispatcher over a log `L`, with two shards' inboxes in the test's hand.
template <typename L>
class DispatcherFixture : public ::testing::Test {
 protected:
  DispatcherFixture() {
    for (FakeInbox& inbox : inboxes_) dispatcher_.AddShard(&inbox);
  }

  static ConnectionInfo Info(std::string id, UserId user, int shard) {
    return {std::move(id), user, shard,
            std::make_shared<const std::string>("{\"id\":" + std::to_string(user) + "}")};
  }
  uint64_t Register(std::string id, UserId user, int shard,
                    const std::vector<std::string>& rooms = {}) {
    const auto registration =
        dispatcher_.Register(Info(std::move(id), user, shard), Allowed(rooms));
    EXPECT_TRUE(registration.ok()) << registration.status();
    return registration.ok() ? registration->head : 0;
  }

  // Dispatches; the outcome must be known at once.
  absl::StatusOr<Dispatched> Dispatch(const std::shared_ptr<Entry>& entry) {
    std::optional<absl::StatusOr<Dispatched>> outcome;
    dispatcher_.Dispatch(entry, [&](absl::StatusOr<Dispatched> result) {
      EXPECT_FALSE(outcome.has_value());
      outcome = std::move(result);
    });
    EXPECT_TRUE(outcome.has_value());
    return outcome.value_or(absl::InternalError("no outcome"));
  }

  void Emit(const std::shared_ptr<Entry>& entry) { EXPECT_TRUE(Dispatch(entry).ok()); }

  // What waits in an inbox, in order: "7" for the entry of number 7, "event" for one without,
  // "task" for a task, which is run.
  std::vector<std::string> Drain(int shard) {
    std::vector<std::string> seen;
    for (InboxItem& item : inboxes_[shard].Take()) {
      if (item.task) {
        item.task();
        seen.push_back("task");
      } else {
        seen.push_back(item.entry->sequence == 0 ? "event" : std::to_string(item.entry->sequence));
      }
    }
    return seen;
  }

  // The only entry that waits in an inbox.
  EntryPtr OnlyEntry(int shard) {
    std::vector<InboxItem> items = inboxes_[shard].Take();
    EXPECT_EQ(items.size(), 1u);
    return items.size() == 1 ? items[0].entry : nullptr;
  }

  ManualClock clock_;
  L log_{{}, clock_, "epoch"};
  std::array<FakeInbox, 2> inboxes_;
  Dispatcher dispatcher_{TestCatalog(),
                         clock_,
                         log_,
                         {/*leave_grace_ms=*/15'000,
                          /*max_per_user=*/3}};
};

using DispatcherTest = DispatcherFixture<MemoryLog>;
using LateDispatcherTest = DispatcherFixture<LateLog>;

TEST_F(DispatcherTest, NumbersAppendsAndWakesTheRecipientsShardsOnly) {
  Register("a", 1, 0);
  Register("b", 2, 1);
  Register("b2", 2, 1);
  const auto dispatched = Dispatch(Durable(Target::User(2)));
  ASSERT_TRUE(dispatched.ok());
  EXPECT_EQ(dispatched->sequence, 1u);
  EXPECT_EQ(dispatched->recipients.users_targeted, 1u);
  EXPECT_EQ(dispatched->recipients.users_online, 1u);
  EXPECT_EQ(dispatched->recipients.connections, 2u);
  EXPECT_EQ(Dispatch(Durable(Target::Everyone()))->sequence, 2u);
  EXPECT_EQ(dispatcher_.Head(), 2u);
  EXPECT_EQ(log_.Head(), 2u);
  EXPECT_THAT(Drain(0), ElementsAre("2"));
  EXPECT_THAT(Drain(1), ElementsAre("1", "2"));
}

TEST_F(DispatcherTest, NobodyOnlineIsASuccessAndKept) {
  const auto dispatched = Dispatch(Durable(Target::Users({1, 2})));
  ASSERT_TRUE(dispatched.ok());
  EXPECT_EQ(dispatched->recipients.users_targeted, 2u);
  EXPECT_EQ(dispatched->recipients.users_online, 0u);
  EXPECT_EQ(log_.usage().entries, 1u);
}

TEST_F(DispatcherTest, EphemeralPassesWithoutANumber) {
  Register("a", 1, 0);
  Emit(Durable(Target::User(9)));
  const auto dispatched = Dispatch(Ephemeral(Target::User(1)));
  ASSERT_TRUE(dispatched.ok());
  EXPECT_EQ(dispatched->sequence, 1u);
  EXPECT_EQ(dispatched->recipients.connections, 1u);
  EXPECT_THAT(Drain(0), ElementsAre("event"));
  EXPECT_EQ(log_.usage().entries, 1u);
}

TEST_F(DispatcherTest, PastItsTtlOnArrivalItIsNeitherKeptNorDelivered) {
  Register("a", 1, 0);
  auto entry = Durable(Target::User(1));
  entry->expires_at = clock_.WallMillis();
  const auto dispatched = Dispatch(entry);
  ASSERT_TRUE(dispatched.ok());
  EXPECT_TRUE(dispatched->expired);
  EXPECT_EQ(dispatched->sequence, 0u);
  EXPECT_EQ(dispatched->recipients.users_targeted, 1u);
  EXPECT_EQ(dispatched->recipients.users_online, 0u);
  EXPECT_EQ(dispatched->recipients.connections, 0u);
  EXPECT_EQ(log_.usage().entries, 0u);
  EXPECT_THAT(Drain(0), IsEmpty());
}

TEST_F(DispatcherTest, SupersededOnArrivalItIsNeitherKeptNorDelivered) {
  Register("a", 1, 0);
  Emit(Latest(Target::User(1), 200));
  const auto dispatched = Dispatch(Latest(Target::User(1), 100));
  ASSERT_TRUE(dispatched.ok());
  EXPECT_TRUE(dispatched->superseded);
  EXPECT_EQ(dispatched->sequence, 1u);
  EXPECT_EQ(dispatched->recipients.users_targeted, 1u);
  EXPECT_EQ(dispatched->recipients.connections, 0u);
  EXPECT_THAT(Drain(0), ElementsAre("1"));
}

// A virtual machine that resumes, or a time server that corrects, sets the clock back.
TEST_F(DispatcherTest, AClockSetBackHidesNoState) {
  Register("c1", 1, 0);
  const auto state = [](int64_t accepted_at) {
    std::shared_ptr<Entry> entry = Latest(Target::User(1), accepted_at);
    entry->occurred_at_given = false;
    return entry;
  };
  for (const int64_t clock : {5'000, 2'000, 3'000, 6'000}) {
    const auto outcome = Dispatch(state(clock));
    ASSERT_TRUE(outcome.ok());
    EXPECT_FALSE(outcome->superseded) << clock;
    EXPECT_EQ(log_.usage().entries, 1u) << "each replaces the one before";
  }
  EXPECT_THAT(Drain(0), ElementsAre("1", "2", "3", "4"));
  // What an emitter says of the time stands.
  const auto outdated = Dispatch(Latest(Target::User(1), 5'999));
  ASSERT_TRUE(outdated.ok());
  EXPECT_TRUE(outdated->superseded);
}

TEST_F(DispatcherTest, WhoHasANewerStateIsNoRecipient) {
  Register("a", 1, 0);
  Register("b", 2, 1);
  Emit(Latest(Target::User(1), 200));
  const auto dispatched = Dispatch(Latest(Target::Users({1, 2}), 100));
  ASSERT_TRUE(dispatched.ok());
  EXPECT_FALSE(dispatched->superseded);
  EXPECT_EQ(dispatched->recipients.users_targeted, 2u);
  EXPECT_EQ(dispatched->recipients.users_online, 1u);
  EXPECT_EQ(dispatched->recipients.connections, 1u);
  EXPECT_THAT(Drain(0), ElementsAre("1"));
  EXPECT_THAT(Drain(1), ElementsAre("2"));
}

TEST_F(DispatcherTest, TheExceptedConnectionIsNoRecipient) {
  Register("a", 1, 0);
  Register("a2", 1, 1);
  auto entry = Durable(Target::User(1));
  entry->except_connection = "a2";
  EXPECT_EQ(Dispatch(entry)->recipients.connections, 1u);
  EXPECT_THAT(Drain(1), IsEmpty());
}

TEST_F(DispatcherTest, AFullInboxRefusesWhatIsForItAndNothingIsAppended) {
  Register("a", 1, 0);
  Register("b", 2, 1);
  inboxes_[0].set_bound(1);
  EXPECT_TRUE(Dispatch(Durable(Target::User(1))).ok());
  EXPECT_EQ(Dispatch(Durable(Target::User(1))).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Dispatch(Ephemeral(Target::Everyone())).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(log_.Head(), 1u);
  EXPECT_EQ(Dispatch(Durable(Target::User(2)))->sequence, 2u);
  EXPECT_THAT(Drain(0), ElementsAre("1"));
  EXPECT_THAT(Drain(1), ElementsAre("2"));
  EXPECT_TRUE(Dispatch(Durable(Target::User(1))).ok());
}

TEST_F(DispatcherTest, DrainingRefuses) {
  EXPECT_FALSE(dispatcher_.draining());
  dispatcher_.Drain();
  EXPECT_TRUE(dispatcher_.draining());
  EXPECT_EQ(Dispatch(Durable(Target::User(1))).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(log_.Head(), 0u);
}

TEST_F(DispatcherTest, TheOutcomeComesWithoutTheLock) {
  bool inner = false;
  dispatcher_.Dispatch(Durable(Target::User(1)), [&](const absl::StatusOr<Dispatched>&) {
    inner = Dispatch(Durable(Target::User(1))).ok() && dispatcher_.Head() == 2;
  });
  EXPECT_TRUE(inner);
}

TEST_F(DispatcherTest, TheSendersAnswerPrecedesItsOwnCopy) {
  Register("a", 1, 0, {"r"});
  Drain(0);
  std::vector<absl::StatusOr<Dispatched>> answers;
  const auto done = [&](const absl::StatusOr<Dispatched>& result) { answers.push_back(result); };
  dispatcher_.DispatchFrom(0, Durable(Target::Room("r")), done);
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_THAT(Drain(0), ElementsAre("task", "2"));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0]->sequence, 2u);
  EXPECT_EQ(answers[0]->recipients.connections, 1u);

  dispatcher_.DispatchFrom(1, Ephemeral(Target::Room("r")), done);
  dispatcher_.DispatchFrom(1, Latest(Target::User(1), 200), done);
  dispatcher_.DispatchFrom(1, Latest(Target::User(1), 100), done);  // superseded
  auto expired = Durable(Target::User(1));
  expired->expires_at = 1;
  dispatcher_.DispatchFrom(1, expired, done);
  inboxes_[0].set_bound(0);
  dispatcher_.DispatchFrom(1, Durable(Target::Room("r")), done);
  dispatcher_.Drain();
  dispatcher_.DispatchFrom(1, Durable(Target::Room("r")), done);
  EXPECT_EQ(Drain(1).size(), 6u);
  ASSERT_EQ(answers.size(), 7u);
  EXPECT_TRUE(answers[1].ok());
  EXPECT_TRUE(answers[2].ok());
  EXPECT_TRUE(answers[3]->superseded);
  EXPECT_TRUE(answers[4]->expired);
  EXPECT_EQ(answers[5].status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(answers[6].status().code(), absl::StatusCode::kUnavailable);
}

// --- sessions and rooms ---

TEST_F(DispatcherTest, RegistersUptoTheUsersLimit) {
  Register("a", 1, 0);
  Register("b", 1, 0);
  Register("c", 1, 0);
  EXPECT_EQ(dispatcher_.Register(Info("d", 1, 0), {}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(dispatcher_.Register(Info("a", 2, 0), {}).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(dispatcher_.stats().connections, 3u);
  EXPECT_EQ(dispatcher_.stats().users, 1u);
  dispatcher_.Unregister("b", false);
  Register("d", 1, 0);
}

TEST_F(DispatcherTest, ASessionsHistoryEndsWhereItsInboxBegins) {
  Emit(Durable(Target::User(1)));
  Emit(Durable(Target::User(1)));
  EXPECT_EQ(Register("a", 1, 0), 2u);
  Emit(Durable(Target::User(1)));
  EXPECT_THAT(Drain(0), ElementsAre("3"));
}

TEST_F(DispatcherTest, AUsersFirstConnectionInARoomIsToldToTheOthersOnly) {
  Register("a", 1, 0, {"r"});
  Register("b", 2, 1, {"r"});
  const EntryPtr joined = OnlyEntry(0);
  ASSERT_NE(joined, nullptr);
  EXPECT_EQ(joined->name, "room:userJoined");
  EXPECT_EQ(joined->payload, R"({"roomId":"r","userId":2,"user":{"id":2}})");
  EXPECT_EQ(joined->except_user, 2);
  EXPECT_THAT(Drain(1), IsEmpty());
  Register("b2", 2, 0, {"r"});
  EXPECT_THAT(Drain(0), IsEmpty());
  // Nor does the user read it later.
  const std::vector<AudienceFrom> own = {{AudienceKey::User(2), 0}, {AudienceKey::Room("r"), 1}};
  EXPECT_THAT(log_.Read(own, 10, 10).entries, IsEmpty());
}

TEST_F(DispatcherTest, AJoinStandsAtItsPlaceInTheOrder) {
  Register("a", 1, 0, {"r"});  // 1: joined
  Register("b", 2, 0);
  Emit(Durable(Target::Room("r")));  // 2
  std::vector<Dispatcher::Joined> replies;
  const auto join = [&] {
    return dispatcher_.Join("b", "r",
                            [&](const Dispatcher::Joined& joined) { replies.push_back(joined); });
  };
  EXPECT_TRUE(join().ok());
  Emit(Durable(Target::Room("r")));  // 4
  EXPECT_TRUE(join().ok());
  EXPECT_THAT(Drain(0), ElementsAre("2", "task", "3", "4", "task"));
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].cursor, 2u);
  EXPECT_FALSE(replies[0].already);
  EXPECT_EQ(replies[0].participants_json, R"([{"id":1},{"id":2}])");
  EXPECT_EQ(replies[1].cursor, 4u);
  EXPECT_TRUE(replies[1].already);
  EXPECT_EQ(replies[1].participants_json, R"([{"id":1},{"id":2}])");
}

TEST_F(DispatcherTest, AJoinThatIsRefusedChangesNothing) {
  Register("a", 1, 0, {"r"});
  Register("b", 2, 1);
  const auto never = [](const Dispatcher::Joined&) { ADD_FAILURE() << "must not run"; };
  EXPECT_EQ(dispatcher_.Join("nobody", "r", never).code(), absl::StatusCode::kNotFound);
  inboxes_[0].set_bound(0);
  EXPECT_EQ(dispatcher_.Join("b", "r", never).code(), absl::StatusCode::kResourceExhausted);
  inboxes_[0].set_bound(10);
  inboxes_[1].set_bound(0);
  EXPECT_EQ(dispatcher_.Join("b", "r", never).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(dispatcher_.Head(), 1u);
  EXPECT_FALSE(dispatcher_.Leave("b", "r"));
  Drain(1);
}

TEST_F(DispatcherTest, LeavingIsToldByUserNotByConnection) {
  Register("a", 1, 0, {"r"});
  Register("b", 2, 1, {"r"});
  Register("b2", 2, 1, {"r"});
  Drain(0);
  EXPECT_FALSE(dispatcher_.Leave("b", "other"));
  EXPECT_TRUE(dispatcher_.Leave("b", "r"));
  EXPECT_THAT(Drain(0), IsEmpty());
  EXPECT_TRUE(dispatcher_.Leave("b2", "r"));
  const EntryPtr left = OnlyEntry(0);
  ASSERT_NE(left, nullptr);
  EXPECT_EQ(left->name, "room:userLeft");
  EXPECT_EQ(left->payload, R"({"roomId":"r","userId":2})");
  EXPECT_EQ(left->except_user, 2);
  EXPECT_THAT(Drain(1), IsEmpty());
}

TEST_F(DispatcherTest, ALostConnectionLeavesOnlyPastTheGrace) {
  Register("a", 1, 0, {"r"});
  Register("b", 2, 1, {"r"});
  Register("c", 3, 1, {"r"});
  Drain(0);
  dispatcher_.Unregister("b", /*leaving=*/false);
  dispatcher_.Unregister("c", /*leaving=*/false);
  clock_.Advance(14'999);
  dispatcher_.SweepDepartures();
  EXPECT_THAT(Drain(0), IsEmpty());
  Register("b-again", 2, 1, {"r"});  // a reconnect is neither a leave nor a join
  EXPECT_THAT(Drain(0), IsEmpty());
  clock_.Advance(1);
  dispatcher_.SweepDepartures();
  const EntryPtr left = OnlyEntry(0);
  ASSERT_NE(left, nullptr);
  EXPECT_EQ(left->payload, R"({"roomId":"r","userId":3})");
}

TEST_F(DispatcherTest, AGoodbyeLeavesAtOnce) {
  Register("a", 1, 0, {"r", "s"});
  Register("b", 2, 1, {"r", "s"});
  Drain(0);
  dispatcher_.Unregister("b", /*leaving=*/true);
  EXPECT_EQ(Drain(0).size(), 2u);
  EXPECT_EQ(dispatcher_.stats().connections, 1u);
}

TEST_F(DispatcherTest, WhileDrainingNobodyLeaves) {
  Register("a", 1, 0, {"r"});
  Register("b", 2, 1, {"r"});
  Register("c", 3, 1, {"r"});
  Register("d", 4, 1, {"r"});
  dispatcher_.Unregister("d", /*leaving=*/false);
  Drain(0);
  dispatcher_.Drain();
  dispatcher_.Unregister("b", /*leaving=*/true);
  EXPECT_TRUE(dispatcher_.Leave("c", "r"));
  clock_.Advance(3'600'000);
  dispatcher_.SweepDepartures();
  EXPECT_THAT(Drain(0), IsEmpty());
}

TEST_F(DispatcherTest, DeparturesWaitForRoomInTheInboxes) {
  Register("a", 1, 0, {"r"});
  for (UserId user = 2; user < 202; ++user) {
    Register(std::to_string(user), user, 1, {"r"});
    dispatcher_.Unregister(std::to_string(user), false);
  }
  Drain(0);
  clock_.Advance(60'000);
  inboxes_[0].set_bound(1);
  dispatcher_.SweepDepartures();
  const size_t first = Drain(0).size();
  EXPECT_GT(first, 0u);
  EXPECT_LT(first, 200u);
  for (size_t total = first; total < 200;) {
    dispatcher_.SweepDepartures();
    const size_t more = Drain(0).size();
    ASSERT_GT(more, 0u);
    total += more;
  }
  dispatcher_.SweepDepartures();
  EXPECT_THAT(Drain(0), IsEmpty());
}

// --- a log that completes late ---

TEST_F(LateDispatcherTest, HandsOnInTheLogsOrder) {
  Register("a", 1, 0);
  std::vector<std::string> done;
  const auto note = [&](const char* name) {
    return [&done, name](const absl::StatusOr<Dispatched>& result) {
      done.push_back(name + std::to_string(result->sequence));
    };
  };
  auto first = Durable(Target::User(1), "{\"n\":1}");
  auto second = Durable(Target::User(1), "{\"n\":2}");
  dispatcher_.Dispatch(first, note("first:"));
  dispatcher_.Dispatch(second, note("second:"));
  EXPECT_EQ(dispatcher_.stats().appends_in_flight, 2u);
  EXPECT_EQ(dispatcher_.Head(), 0u);
  EXPECT_THAT(Drain(0), IsEmpty());
  log_.CompleteLast();
  EXPECT_THAT(done, ElementsAre("second:1"));
  EXPECT_EQ(dispatcher_.Head(), 1u);
  log_.CompleteLast();
  EXPECT_THAT(done, ElementsAre("second:1", "first:2"));
  EXPECT_EQ(dispatcher_.stats().appends_in_flight, 0u);
  std::vector<InboxItem> items = inboxes_[0].Take();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].entry, second);
  EXPECT_EQ(items[1].entry, first);
}

TEST_F(LateDispatcherTest, RecipientsAreThoseOfTheHandOff) {
  std::optional<Dispatched> outcome;
  dispatcher_.Dispatch(Durable(Target::User(1)),
                       [&](const absl::StatusOr<Dispatched>& result) { outcome = *result; });
  EXPECT_EQ(Register("a", 1, 0), 0u);
  log_.CompleteAll();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->recipients.connections, 1u);
  EXPECT_THAT(Drain(0), ElementsAre("1"));
}

TEST_F(LateDispatcherTest, ARefusedAppendIsSaidAndNotDelivered) {
  Register("a", 1, 0);
  absl::Status plain;
  absl::Status from_shard;
  dispatcher_.Dispatch(Durable(Target::User(1)),
                       [&](const absl::StatusOr<Dispatched>& result) { plain = result.status(); });
  dispatcher_.DispatchFrom(
      1, Durable(Target::User(1)),
      [&](const absl::StatusOr<Dispatched>& result) { from_shard = result.status(); });
  log_.Refuse(absl::UnavailableError("out of reach"));
  log_.Refuse(absl::UnavailableError("out of reach"));
  EXPECT_EQ(plain.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(from_shard.ok());
  EXPECT_THAT(Drain(1), ElementsAre("task"));
  EXPECT_EQ(from_shard.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Drain(0), IsEmpty());
  EXPECT_EQ(dispatcher_.stats().appends_in_flight, 0u);
  EXPECT_EQ(dispatcher_.stats().notices_lost, 0u);
}

TEST_F(LateDispatcherTest, TheSendersAnswerPrecedesItsOwnCopyHereToo) {
  Register("a", 1, 0);
  uint64_t number = 0;
  dispatcher_.DispatchFrom(
      0, Durable(Target::User(1)),
      [&](const absl::StatusOr<Dispatched>& result) { number = result->sequence; });
  EXPECT_THAT(Drain(0), IsEmpty());
  log_.CompleteAll();
  EXPECT_THAT(Drain(0), ElementsAre("task", "1"));
  EXPECT_EQ(number, 1u);
}

TEST_F(LateDispatcherTest, AJoinsCursorIsWhatWasHandedOn) {
  Register("a", 1, 0, {"r"});
  log_.CompleteAll();  // 1: a joined
  Register("b", 2, 0);
  dispatcher_.Dispatch(Durable(Target::Room("r")), [](auto) {});  // in flight across the join
  uint64_t cursor = 0;
  ASSERT_TRUE(
      dispatcher_.Join("b", "r", [&](const Dispatcher::Joined& joined) { cursor = joined.cursor; })
          .ok());
  log_.CompleteAll();
  EXPECT_THAT(Drain(0), ElementsAre("task", "2", "3"));
  EXPECT_EQ(cursor, 1u);
}

TEST_F(LateDispatcherTest, ANoticeThatTheLogRefusesIsCounted) {
  Register("a", 1, 0, {"r"});
  log_.Refuse(absl::UnavailableError("out of reach"));
  EXPECT_EQ(dispatcher_.stats().notices_lost, 1u);
}

}  // namespace
}  // namespace msab
