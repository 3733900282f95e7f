// gift:send where an application decides: the relay, its webhook, and who is told what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/http.h"
#include "tests/e2e/harness/laravel_app.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const char kAccepted[] = R"("status":"accepted")";

std::string Gift(const std::string& transaction, const std::string& more = "") {
  return absl::StrCat(R"({"roomId":"42","giftId":7,"recipientId":102,"transactionId":)",
                      Quoted(transaction), more, "}");
}

class GiftsTest : public RelayTest {
 protected:
  // A relay whose webhook is `app_`.
  void StartWith(std::map<std::string, std::string> settings = {}) {
    settings.merge(app_.Settings());
    Start({.settings = settings});
  }

  // Sends a gift without waiting for what becomes of it; the reply's id.
  int64_t Send(Client& client, const std::string& data) {
    const int64_t id = ++last_id_;
    EXPECT_TRUE(
        client.Send(absl::StrCat(R"({"id":)", id, R"(,"event":"gift:send","data":)", data, "}")));
    return id;
  }
  // The next frame must be the reply to it.
  static Json ReplyTo(Client& client, int64_t id) {
    const Json frame = client.Next();
    EXPECT_EQ(Number(frame, "reply"), id) << frame;
    return frame;
  }
  static std::string CodeOf(const Json& reply) { return Text(At(reply, "error"), "code"); }

  std::string Readiness() {
    const HttpResponse ready = Fetch(relay().host(), relay().http_port(), "GET", "/readyz");
    EXPECT_EQ(ready.status, 200) << "degraded is still ready: " << ready.body;
    const Json body = ParseJson(ready.body);
    for (const Json& check : At(body, "checks").as_array()) {
      if (Text(check, "name") != "laravel") continue;
      EXPECT_EQ(At(check, "required"), Json(false));
      return At(check, "ok") == Json(true) ? "ok" : Text(check, "message");
    }
    return "not named";
  }

  LaravelApp app_;

 private:
  int64_t last_id_ = 500'000;
};

TEST_F(GiftsTest, AcceptedTheRoomSeesItTheSendingConnectionDoesNot) {
  StartWith();
  Client phone = Connect(101, {"42"});
  Client laptop = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  Client outside = Connect(103);
  Fence({&phone, &laptop, &other, &outside});
  app_.Decide([](const Json&) {
    return std::string(R"("status":"accepted","data":{"acceptedRecipientIds":[102]})");
  });
  const Json answer = phone.Ask(
      "gift:send",
      R"({"roomId":42,"giftId":7,"recipientId":102,"quantity":3,"batchId":"b-1","transactionId":"t-1"})");
  EXPECT_EQ(answer, ParseJson(R"({"transactionId":"t-1","acceptedRecipientIds":[102]})"));
  const Json seen = other.Expect("gift:received");
  EXPECT_EQ(seen, EventFrame("gift:received",
                             R"({"senderId":101,"roomId":"42","giftId":7,"recipientIds":[102],)"
                             R"("recipientId":102,"quantity":3,"batchId":"b-1",)"
                             R"("transactionId":"t-1"})",
                             Text(seen, "cursor"), "42"));
  EXPECT_EQ(laptop.Expect("gift:received"), seen);
  ExpectNothing({&phone, &laptop, &other, &outside});

  const auto messages = app_.Await(1);
  ASSERT_THAT(messages[0].commands, SizeIs(1));
  const Json& command = messages[0].commands[0];
  EXPECT_EQ(Text(command, "type"), "gift:send");
  EXPECT_EQ(At(command, "user"), ParseJson(R"({"id":101})"));
  EXPECT_EQ(Text(command, "connectionId"), phone.connection_id());
  EXPECT_EQ(At(command, "data"),
            ParseJson(R"({"roomId":"42","giftId":7,"recipientIds":[102],"quantity":3,)"
                      R"("transactionId":"t-1","batchId":"b-1"})"));
  EXPECT_THAT(
      Text(command, "receivedAt"),
      ::testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
  EXPECT_EQ(app_.forged(), 0);
  EXPECT_EQ(Readiness(), "ok");
}

TEST_F(GiftsTest, AMintedTransactionIdIsTheSameInEveryAttempt) {
  StartWith();
  Client client = Connect(101, {"42"});
  app_.Next({{.status = 503}, {.hang_up = true}});
  const Json answer = client.Ask("gift:send", R"({"roomId":"42","giftId":7,"recipientIds":[5,6]})");
  EXPECT_FALSE(Text(answer, "transactionId").empty());
  EXPECT_EQ(At(answer, "acceptedRecipientIds"), ParseJson("[5,6]"));
  const auto messages = app_.Await(3);
  for (const LaravelApp::Message& message : messages) {
    EXPECT_EQ(message.id, messages[0].id);
    EXPECT_EQ(message.body, messages[0].body);
    EXPECT_EQ(Text(At(message.commands[0], "data"), "transactionId"),
              Text(answer, "transactionId"));
  }
}

TEST_F(GiftsTest, RejectedAllOfTheSendersConnectionsAreTold) {
  StartWith();
  Client phone = Connect(101, {"42"});
  Client laptop = Connect(101);
  Client other = Connect(102, {"42"});
  Fence({&phone, &laptop, &other});
  app_.Decide([](const Json&) {
    return std::string(
        R"("status":"rejected","code":"INSUFFICIENT_BALANCE","reason":"not enough coins")");
  });
  const Json reply = phone.Command("gift:send", Gift("t-1", R"(,"batchId":"b")"));
  EXPECT_EQ(At(reply, "error"),
            ParseJson(R"({"code":"REJECTED","message":"not enough coins","details":)"
                      R"({"transactionId":"t-1","code":"INSUFFICIENT_BALANCE",)"
                      R"("reason":"not enough coins"}})"));
  for (Client* client : {&phone, &laptop}) {
    EXPECT_EQ(At(client->Expect("gift:error"), "data"),
              ParseJson(R"({"transactionId":"t-1","code":"INSUFFICIENT_BALANCE",)"
                        R"("reason":"not enough coins","batchId":"b"})"));
  }
  ExpectNothing({&phone, &laptop, &other});
}

TEST_F(GiftsTest, ARepeatIsAnsweredAgainAndShownOnce) {
  StartWith();
  Client sender = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  Fence({&sender, &other});
  const Json first = sender.Ask("gift:send", Gift("t-1"));
  EXPECT_EQ(sender.Ask("gift:send", Gift("t-1")), first);
  // Neither does the application's own event show it twice.
  const Answer emitted = Emit(
      R"({"event_id":"gift:101:t-1","gift_received":{"sender_id":101,"room_id":"42","gift_id":7,)"
      R"("recipient_ids":[102],"recipient_id":102,"quantity":1,"transaction_id":"t-1"}})");
  EXPECT_TRUE(emitted.duplicate);
  other.Expect("gift:received");
  ExpectNothing({&sender, &other});
  EXPECT_THAT(app_.Transactions(), ElementsAre("101:t-1", "101:t-1")) << "Laravel decides on both";
}

TEST_F(GiftsTest, TheApplicationsOwnEventMayComeFirst) {
  StartWith();
  Client sender = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  Fence({&sender, &other});
  Emit(R"({"event_id":"gift:101:t-1","target":{"room_id":"42"},"gift_received":{"sender_id":101,)"
       R"("room_id":"42","gift_id":7,"recipient_ids":[102],"quantity":1,"transaction_id":"t-1"}})");
  sender.Expect("gift:received");
  sender.Ask("gift:send", Gift("t-1"));
  other.Expect("gift:received");
  ExpectNothing({&sender, &other});
}

TEST_F(GiftsTest, ARetryIsRetried) {
  StartWith();
  Client sender = Connect(101, {"42"});
  std::atomic<int> asked{0};
  app_.Decide([&](const Json&) {
    switch (++asked) {
      case 1:
        return std::string(R"("status":"retry","retryAfterMs":150)");
      case 2:
        return std::string();  // no result counts as a retry
      default:
        return std::string(kAccepted);
    }
  });
  sender.Ask("gift:send", Gift("t-1"));
  const auto messages = app_.Await(3);
  EXPECT_THAT(messages, SizeIs(3));
  EXPECT_GE(messages[1].at - messages[0].at, Millis(150));
}

TEST_F(GiftsTest, PassingFailuresAreRetriedWithTheSameId) {
  StartWith();
  Client sender = Connect(101, {"42"});
  app_.Next({{.status = 500},
             {.status = 429, .headers = {{"Retry-After", "1"}}},
             {.body = "<html>"},
             {.hang_up = true}});
  sender.Ask("gift:send", Gift("t-1"));
  const auto messages = app_.Await(5);
  std::set<std::string> ids;
  for (const LaravelApp::Message& message : messages) ids.insert(message.id);
  EXPECT_THAT(ids, SizeIs(1));
  EXPECT_GE(messages[1].at - messages[0].at, Millis(100));
  EXPECT_GE(messages[2].at - messages[1].at, Millis(1'000)) << "Retry-After";
}

TEST_F(GiftsTest, WhileTheApplicationIsDownNobodyKnows) {
  StartWith();
  Client sender = Connect(101, {"42"});
  Client laptop = Connect(101);
  Fence({&sender, &laptop});
  app_.GoDown();
  const SteadyTime begun = std::chrono::steady_clock::now();
  const Json reply = sender.Command("gift:send", Gift("t-1"));
  EXPECT_EQ(CodeOf(reply), "UPSTREAM_UNAVAILABLE") << reply;
  EXPECT_EQ(Text(At(At(reply, "error"), "details"), "transactionId"), "t-1");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, Millis(4'900));
  for (Client* client : {&sender, &laptop}) {
    const Json error = At(client->Expect("gift:error"), "data");
    EXPECT_EQ(Text(error, "code"), "UPSTREAM_UNAVAILABLE");
    EXPECT_EQ(Text(error, "transactionId"), "t-1");
  }
  EXPECT_THAT(Readiness(), HasSubstr("no answer"));
  app_.ComeUp();
  sender.Ask("gift:send", Gift("t-1"));
  EXPECT_EQ(Readiness(), "ok");
}

TEST_F(GiftsTest, ALateYesStillReachesTheRoom) {
  StartWith();
  Client sender = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  Fence({&sender, &other});
  app_.Hold();
  EXPECT_EQ(sender.Refused("gift:send", Gift("t-1")), "UPSTREAM_UNAVAILABLE");
  EXPECT_EQ(Text(At(sender.Expect("gift:error"), "data"), "code"), "UPSTREAM_UNAVAILABLE");
  ExpectNothing({&other});
  app_.Release();
  EXPECT_EQ(Text(At(other.Expect("gift:received"), "data"), "transactionId"), "t-1");
  ExpectNothing({&sender});
  // The client repeats, as it was told to; nothing is shown twice.
  sender.Ask("gift:send", Gift("t-1"));
  ExpectNothing({&sender, &other});
  EXPECT_THAT(app_.messages(), SizeIs(2)) << "nothing was sent again meanwhile";
}

TEST_F(GiftsTest, AFlatNoIsNotRepeated) {
  StartWith();
  Client sender = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  Fence({&sender, &other});
  app_.Always(LaravelApp::Response{.status = 403});
  EXPECT_EQ(sender.Refused("gift:send", Gift("t-1")), "UPSTREAM_UNAVAILABLE");
  sender.Expect("gift:error");
  EXPECT_EQ(other.Refused("gift:send", Gift("t-2")), "UPSTREAM_UNAVAILABLE");
  EXPECT_THAT(app_.messages(), SizeIs(1)) << "the breaker is open";
  EXPECT_THAT(Readiness(), HasSubstr("403"));
  EXPECT_EQ(relay().Metric("msab_webhook_breaker_opened_total"), 1);
  app_.Always(std::nullopt);
  // Some seconds later one is tried, and closes it.
  EXPECT_TRUE(
      e2e::Await([&] { return At(sender.Command("gift:send", Gift("t-1")), "ok") == Json(true); }));
  EXPECT_EQ(Readiness(), "ok");
}

TEST_F(GiftsTest, AnUnknownSecretIsAFlatNo) {
  Start({.settings = {{"laravel.webhook_url", app_.url()},
                      {"laravel.webhook_secrets", LaravelApp::Secret('z')}}});
  Client sender = Connect(101, {"42"});
  EXPECT_EQ(sender.Refused("gift:send", Gift("t-1")), "UPSTREAM_UNAVAILABLE");
  EXPECT_EQ(app_.forged(), 1);
  EXPECT_THAT(Readiness(), HasSubstr("401"));
}

TEST_F(GiftsTest, ARotatedSecretIsGood) {
  // The application still knows the older one only.
  Start({.settings = {{"laravel.webhook_url", app_.url()},
                      {"laravel.webhook_secrets",
                       absl::StrCat(LaravelApp::Secret('z'), ",", LaravelApp::Secret('a'))}}});
  Client sender = Connect(101, {"42"});
  sender.Ask("gift:send", Gift("t-1"));
  EXPECT_EQ(app_.forged(), 0);
}

TEST_F(GiftsTest, ARefusedBatchIsSentOneByOne) {
  StartWith();
  std::vector<Client> clients;
  for (int64_t user = 201; user < 201 + 12; ++user) clients.push_back(Connect(user, {"42"}));
  // As many as go at once, one each; the rest waits and is a batch.
  app_.Hold();
  std::vector<int64_t> ids;
  for (Client& client : clients) {
    ids.push_back(Send(client, Gift("t")));
    app_.Await(std::min<size_t>(ids.size(), 8));
  }
  EXPECT_TRUE(e2e::Await([&] { return relay().Metric("msab_webhook_waiting") == 4; }));
  app_.Next({{}, {}, {}, {}, {}, {}, {}, {}, {.status = 413}});
  app_.Decide([](const Json& command) {
    return Number(At(command, "user"), "id") == 212
               ? std::string(R"("status":"rejected","code":"NO","reason":"")")
               : std::string(kAccepted);
  });
  // The held ones: answered without results, hence to be retried.
  app_.Release();
  int accepted = 0;
  for (size_t i = 0; i < clients.size(); ++i) {
    Json frame = clients[i].Next();
    while (!Has(frame, "reply") && !frame.is_null()) frame = clients[i].Next();
    EXPECT_EQ(Number(frame, "reply"), ids[i]);
    accepted += At(frame, "ok") == Json(true) ? 1 : 0;
  }
  EXPECT_EQ(accepted, 11);
  EXPECT_EQ(relay().Metric("msab_webhook_attempts_total", "answer=\"refused\""), 1);
}

TEST_F(GiftsTest, RefusedEvenAloneIsInternal) {
  StartWith();
  Client sender = Connect(101, {"42"});
  app_.Always(LaravelApp::Response{.status = 422});
  EXPECT_EQ(sender.Refused("gift:send", Gift("t-1")), "INTERNAL");
  EXPECT_EQ(Text(At(sender.Expect("gift:error"), "data"), "code"), "INTERNAL");
  EXPECT_THAT(app_.messages(), SizeIs(2));
}

TEST_F(GiftsTest, OneUsersGiftsKeepTheirOrderAndNeverOverlap) {
  StartWith();
  constexpr int kGifts = 15;
  std::vector<Client> clients;
  for (int64_t user = 201; user < 204; ++user) clients.push_back(Connect(user, {"42"}));
  std::atomic<int> asked{0};
  app_.Decide([&](const Json&) {
    return ++asked % 7 == 0 ? std::string(R"("status":"retry","retryAfterMs":1)")
                            : std::string(kAccepted);
  });
  for (int n = 1; n <= kGifts; ++n) {
    for (Client& client : clients) Send(client, Gift(absl::StrCat(n)));
  }
  for (Client& client : clients) {
    int replies = 0;
    for (Json frame = client.Next(); !frame.is_null(); frame = client.Next()) {
      replies += Has(frame, "reply") ? 1 : 0;
      if (replies == kGifts) break;
    }
    EXPECT_EQ(replies, kGifts);
  }
  EXPECT_FALSE(app_.overlapped());
  std::map<std::string, int> last;
  std::set<std::string> seen;
  for (const std::string& transaction : app_.Transactions()) {
    if (!seen.insert(transaction).second) continue;  // a retry
    const std::string user = transaction.substr(0, 3);
    EXPECT_EQ(std::stoi(transaction.substr(4)), ++last[user]) << transaction;
  }
  EXPECT_LT(app_.messages().size(), 3U * kGifts) << "what waits becomes a batch";
}

TEST_F(GiftsTest, ConnectionsAreKeptAndReplaced) {
  StartWith();
  Client sender = Connect(101, {"42"});
  for (int i = 0; i < 5; ++i) sender.Ask("gift:send", Gift(absl::StrCat("t-", i)));
  EXPECT_EQ(app_.connections(), 1);
  app_.CutConnections();
  sender.Ask("gift:send", Gift("t-9"));
  EXPECT_EQ(app_.connections(), 2);
}

TEST_F(GiftsTest, ASenderWhoIsGoneIsNoTrouble) {
  StartWith();
  Client other = Connect(102, {"42"});
  {
    Client sender = Connect(101, {"42"});
    app_.Hold();
    Send(sender, Gift("t-1"));
    app_.Await(1);
  }
  app_.Release();
  other.Until([](const Json& frame) { return Text(frame, "event") == "gift:received"; });
}

TEST_F(GiftsTest, OnDrainCommandsUnderWayAreAnsweredFirst) {
  StartWith({{"drain.timeout", "10s"}});
  Client sender = Connect(101, {"42"});
  Client other = Connect(102, {"42"});
  Fence({&sender, &other});
  app_.Hold();
  const int64_t id = Send(sender, Gift("t-1"));
  app_.Await(1);
  relay().Terminate();
  ASSERT_TRUE(e2e::Await(
      [&] { return Fetch(relay().host(), relay().http_port(), "GET", "/readyz").status == 503; }));
  app_.Release();
  EXPECT_EQ(At(ReplyTo(sender, id), "ok"), Json(true));
  EXPECT_EQ(Text(other.Next(), "event"), "gift:received");
  EXPECT_EQ(sender.CloseCode(), 4003);
  EXPECT_EQ(other.CloseCode(), 4003);
  EXPECT_EQ(relay().WaitForExit(), 0);
}

TEST_F(GiftsTest, OnDrainASilentApplicationHoldsNobodyUp) {
  StartWith({{"drain.timeout", "4s"}});
  Client sender = Connect(101, {"42"});
  app_.Hold();
  const int64_t id = Send(sender, Gift("t-1"));
  app_.Await(1);
  const SteadyTime begun = std::chrono::steady_clock::now();
  relay().Terminate();
  EXPECT_EQ(CodeOf(ReplyTo(sender, id)), "UPSTREAM_UNAVAILABLE");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, Millis(4'000));
  EXPECT_EQ(sender.CloseCode(), 4003);
  EXPECT_EQ(relay().WaitForExit(), 0);
  app_.Release();
}

}  // namespace
}  // namespace msab::e2e
