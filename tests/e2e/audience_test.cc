// Whom an event reaches, and whom it does not.
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/e2e/harness/relay_test.h"
#include "tests/e2e/samples.h"

namespace msab::e2e {
namespace {

// Everybody who could get something by mistake: the user of the samples with two connections,
// another user, a user with one connection in the samples' room and one outside it, and a user in
// another room.
class AudienceTest : public RelayTest {
 protected:
  void SetUp() override {
    Bring(phone_, 101, {});
    Bring(laptop_, 101, {});
    Bring(other_, 102, {});
    Bring(in_room_, 103, {"42"});
    Bring(outside_, 103, {});
    Bring(next_door_, 104, {"43"});
    Fence(All());  // what the joins told
  }

  std::vector<Client*> All() {
    return {phone_.get(),   laptop_.get(),  other_.get(),
            in_room_.get(), outside_.get(), next_door_.get()};
  }

  // `frame` reached each of `audience` exactly once and nothing reached anybody else.
  void ExpectOnly(const std::set<const Client*>& audience, const Json& frame) {
    const std::vector<Client*> all = All();
    const Received received = Fence(all);
    for (size_t i = 0; i < all.size(); ++i) {
      if (audience.contains(all[i])) {
        ASSERT_EQ(received[i].size(), 1U) << "client " << i;
        EXPECT_EQ(received[i][0], frame) << "client " << i;
      } else {
        EXPECT_TRUE(received[i].empty()) << "client " << i << " got " << received[i][0];
      }
    }
  }

  void ExpectRecipients(const Answer& answer, int targeted, int online, int connections) {
    EXPECT_EQ(answer.users_targeted, targeted);
    EXPECT_EQ(answer.users_online, online);
    EXPECT_EQ(answer.connections, connections);
  }

  std::unique_ptr<Client> phone_, laptop_, other_, in_room_, outside_, next_door_;

 private:
  void Bring(std::unique_ptr<Client>& client, int64_t user, std::vector<std::string> rooms) {
    client = std::make_unique<Client>(Connect(user, std::move(rooms)));
  }
};

class SampleTest : public AudienceTest, public testing::WithParamInterface<Sample> {};

TEST_P(SampleTest, ReachesItsAudienceAndNobodyElse) {
  const Sample& sample = GetParam();
  const Answer answer = Emit(sample.request);
  const std::string cursor = sample.ephemeral ? "" : answer.cursor;
  switch (sample.audience) {
    case For::kUser:
      ExpectRecipients(answer, 1, 1, 2);
      ExpectOnly({phone_.get(), laptop_.get()}, EventFrame(sample.event, sample.data, cursor));
      break;
    case For::kRoom:
      ExpectRecipients(answer, 1, 1, 1);
      ExpectOnly({in_room_.get()}, EventFrame(sample.event, sample.data, cursor, "42"));
      break;
    case For::kEveryone: {
      ExpectRecipients(answer, 4, 4, 6);
      const std::vector<Client*> all = All();
      ExpectOnly({all.begin(), all.end()}, EventFrame(sample.event, sample.data, cursor));
      break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryEvent, SampleTest, testing::ValuesIn(Samples()),
                         [](const auto& info) { return info.param.title; });

constexpr char kKicked[] = R"({"agency_id":6,"agency_name":"Stars"})";

std::string Kick(const std::string& target, const std::string& more = "") {
  return absl::StrCat(R"({"target":)", target, more, R"(,"agency_member_kicked":)", kKicked, "}");
}

TEST_F(AudienceTest, SeveralUsersCountOnceEachOnlineOrNot) {
  const Answer answer = Emit(Kick(R"({"user_ids":{"ids":[101,102,101,999]}})"));
  ExpectRecipients(answer, 3, 2, 3);
  ExpectOnly({phone_.get(), laptop_.get(), other_.get()},
             EventFrame("agency.member_kicked", kKicked, answer.cursor));
}

TEST_F(AudienceTest, TenThousandUsersInOneCall) {
  std::vector<int64_t> ids;
  for (int64_t id = 100; id < 10'100; ++id) ids.push_back(id);
  const std::string list = absl::StrJoin(ids, ",");
  const Answer answer = Emit(Kick(absl::StrCat(R"({"user_ids":{"ids":[)", list, "]}}")));
  ExpectRecipients(answer, 10'000, 4, 6);
  const std::vector<Client*> all = All();
  ExpectOnly({all.begin(), all.end()}, EventFrame("agency.member_kicked", kKicked, answer.cursor));

  const Answer more = door().Emit(Kick(absl::StrCat(R"({"user_ids":{"ids":[99,)", list, "]}}")));
  EXPECT_EQ(more.code, kInvalidArgument);
}

TEST_F(AudienceTest, AUserInARoomIsThatUsersConnectionsThere) {
  const Answer answer = Emit(Kick(R"({"user_in_room":{"user_id":103,"room_id":"42"}})"));
  ExpectRecipients(answer, 1, 1, 1);
  ExpectOnly({in_room_.get()}, EventFrame("agency.member_kicked", kKicked, answer.cursor, "42"));
}

TEST_F(AudienceTest, AUserInARoomMayGetARoomsEventAlone) {
  Client second = Connect(101, {"42"});
  Fence(All());
  const std::string data = R"({"room_id":42,"new_level":2,"new_room_xp":"7"})";
  const Answer answer =
      Emit(absl::StrCat(R"({"target":{"user_in_room":{"user_id":101,"room_id":"42"}},)",
                        R"("room_level_up":)", data, "}"));
  ExpectRecipients(answer, 1, 1, 1);
  ExpectOnly({}, nullptr);
  EXPECT_EQ(
      second.Until([](const Json& frame) { return Text(frame, "event") != "agency.dissolved"; })
          .back(),
      EventFrame("room.level_up", data, answer.cursor, "42"));
}

TEST_F(AudienceTest, AUserElsewhereIsNotInTheRoom) {
  const Answer answer = Emit(Kick(R"({"user_in_room":{"user_id":101,"room_id":"42"}})"));
  ExpectRecipients(answer, 1, 0, 0);
  ExpectOnly({}, nullptr);
}

TEST_F(AudienceTest, NobodyOnlineIsASuccessThatSaysSo) {
  ExpectRecipients(Emit(Kick(R"({"user_id":999})")), 1, 0, 0);
  ExpectRecipients(Emit(R"({"room_level_up":{"room_id":99,"new_level":1,"new_room_xp":"1"}})"), 0,
                   0, 0);
  ExpectOnly({}, nullptr);
}

TEST_F(AudienceTest, TheExceptedConnectionDoesNotGetIt) {
  const std::string except =
      absl::StrCat(R"(,"except_connection_id":)", Quoted(phone_->connection_id()));
  Answer answer = Emit(Kick(R"({"user_id":101})", except));
  ExpectRecipients(answer, 1, 1, 1);
  ExpectOnly({laptop_.get()}, EventFrame("agency.member_kicked", kKicked, answer.cursor));

  answer = Emit(absl::StrCat(R"({"config_invalidate":{"type":"all"})", except, "}"));
  ExpectRecipients(answer, 4, 4, 5);
  ExpectOnly({laptop_.get(), other_.get(), in_room_.get(), outside_.get(), next_door_.get()},
             EventFrame("config:invalidate", R"({"type":"all"})", answer.cursor));
}

TEST_F(AudienceTest, ARoomsOnlyConnectionExceptedLeavesNobodyOnline) {
  const std::string data = R"({"room_id":42,"new_level":2,"new_room_xp":"7"})";
  const Answer answer =
      Emit(absl::StrCat(R"({"except_connection_id":)", Quoted(in_room_->connection_id()),
                        R"(,"room_level_up":)", data, "}"));
  ExpectRecipients(answer, 1, 0, 0);
  ExpectOnly({}, nullptr);
}

TEST_F(AudienceTest, ARoomCountsUsersNotConnections) {
  Client second = Connect(103, {"42"});
  Client third = Connect(101, {"42"});
  Fence(All());
  const Answer answer = Emit(R"({"room_level_up":{"room_id":42,"new_level":2,"new_room_xp":"7"}})");
  ExpectRecipients(answer, 2, 2, 3);
}

TEST_F(AudienceTest, WhenItHappenedIsShownOnlyIfTheEmitterSaidSo) {
  const Answer answer =
      Emit(Kick(R"({"user_id":101})", R"(,"occurred_at":"2026-01-01T00:00:00.123456Z")"));
  Json frame = EventFrame("agency.member_kicked", kKicked, answer.cursor);
  frame.as_object()["occurredAt"] = 1767225600123;
  ExpectOnly({phone_.get(), laptop_.get()}, frame);
}

TEST_F(AudienceTest, AnEventPastItsTtlReachesNobody) {
  const Answer answer =
      Emit(Kick(R"({"user_id":101})", R"(,"occurred_at":"2026-01-01T00:00:00Z","ttl":"5s")"));
  EXPECT_TRUE(answer.expired);
  EXPECT_FALSE(answer.cursor.empty());
  ExpectOnly({}, nullptr);
}

TEST_F(AudienceTest, ATargetThatRepeatsThePayloadIsFine) {
  const std::string data =
      R"({"user_id":101,"badge":{"id":3,"name":"Host","image_url":"b.png","category":"room"}})";
  for (const std::string target : {R"({"user_id":101})", R"({"user_ids":{"ids":[101]}})"}) {
    const Answer answer =
        Emit(absl::StrCat(R"({"target":)", target, R"(,"badge_earned":)", data, "}"));
    ExpectOnly({phone_.get(), laptop_.get()}, EventFrame("badge.earned", data, answer.cursor));
  }
}

TEST_F(AudienceTest, ANumberedRoomIsJoinedByNumberOrText) {
  phone_->Ask("room:join", R"({"roomId":42})");
  Fence(All());
  const std::string data = R"({"room_id":42,"new_level":2,"new_room_xp":"7"})";
  const Answer answer = Emit(absl::StrCat(R"({"room_level_up":)", data, "}"));
  ExpectRecipients(answer, 2, 2, 2);
  ExpectOnly({phone_.get(), in_room_.get()},
             EventFrame("room.level_up", data, answer.cursor, "42"));
}

// Events of the application's own, allowed by the configuration.
class CustomEventTest : public RelayTest {
 protected:
  void SetUp() override {
    RelayOptions options;
    options.toml = R"(
[[custom_events]]
name = "App\\Events\\*"
audience = ["user", "room", "everyone"]
class = "durable"

[[custom_events]]
name = "notice"
audience = ["everyone"]
class = "durable"
)";
    Start(options);
  }
};

TEST_F(CustomEventTest, ReachWhomTheyNameWithTheirPayloadAsItIs) {
  Client user = Connect(101);
  Client guest = Connect(102, {"lobby"});
  const std::string payload =
      R"({"order":{"id":7,"price":1.5,"tags":["a",null,true],"note":"\u00fc"},"empty":{}})";
  const std::string custom =
      absl::StrCat(R"("custom":{"name":"App\\Events\\OrderShipped","payload":)", payload, "}}");
  const Answer to_user = Emit(R"({"target":{"user_id":101},)" + custom);
  const Answer to_room = Emit(R"({"target":{"room_id":"lobby"},)" + custom);
  const Answer to_all = Emit(R"({"target":{"everyone":{}},)" + custom);
  const Received received = Fence({&user, &guest});
  const std::string name = "App\\Events\\OrderShipped";
  EXPECT_EQ(received[0], (std::vector<Json>{EventFrame(name, payload, to_user.cursor),
                                            EventFrame(name, payload, to_all.cursor)}));
  EXPECT_EQ(received[1], (std::vector<Json>{EventFrame(name, payload, to_room.cursor, "lobby"),
                                            EventFrame(name, payload, to_all.cursor)}));
}

TEST_F(CustomEventTest, RefuseWhatTheConfigurationDoesNotAllow) {
  const auto code = [this](const std::string& target, const std::string& name) {
    return door()
        .Emit(absl::StrCat(R"({"target":)", target, R"(,"custom":{"name":)", Quoted(name),
                           R"(,"payload":{}}})"))
        .code;
  };
  EXPECT_EQ(code(R"({"everyone":{}})", "App\\Events\\A"), kOk);
  EXPECT_EQ(code(R"({"everyone":{}})", "App\\Other"), kInvalidArgument);
  EXPECT_EQ(code(R"({"everyone":{}})", ""), kInvalidArgument);
  EXPECT_EQ(code(R"({"everyone":{}})", "App\\Events\\" + std::string(117, 'a')), kOk);
  EXPECT_EQ(code(R"({"everyone":{}})", "App\\Events\\" + std::string(118, 'a')), kInvalidArgument);
  EXPECT_EQ(code(R"({"everyone":{}})", "App\\Events\\With space"), kInvalidArgument);
  EXPECT_EQ(code(R"({"everyone":{}})", "notice"), kOk);
  EXPECT_EQ(code(R"({"user_id":101})", "notice"), kInvalidArgument);
  EXPECT_EQ(code(R"({"everyone":{}})", "welcome"), kInvalidArgument);
}

}  // namespace
}  // namespace msab::e2e
