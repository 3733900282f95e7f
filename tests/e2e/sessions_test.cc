// A session's life in the native dialect: the ways in, welcome, pings, renewal, expiry, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/raw_socket.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

using testing::StartsWith;

std::string TokenUntil(int64_t user, int64_t expires) {
  return SignToken(absl::StrCat(R"({"sub":")", user, R"(","exp":)", expires, "}"));
}

class SessionTest : public RelayTest {
 protected:
  int CloseCodeOf(const Hello& hello) { return Open(hello).CloseCode(); }
};

TEST_F(SessionTest, WelcomesWithAllThatAClientNeeds) {
  Emit(Marker(101, 1));
  const int64_t expires = NowSeconds() + 1'000;
  Client client = Open({.token = TokenUntil(101, expires), .rooms = {"42", "lobby"}});
  const Json welcome = client.Welcome();
  EXPECT_FALSE(Text(welcome, "connectionId").empty());
  const Json expected = JsonObject{{"connectionId", At(welcome, "connectionId")},
                                   {"userId", 101},
                                   {"cursor", door().GetCursor().cursor},
                                   {"recovered", nullptr},
                                   {"missed", 0},
                                   {"rooms", JsonArray{"42", "lobby"}},
                                   {"pingInterval", 25'000},
                                   {"tokenExpiresAt", expires * 1'000}};
  EXPECT_TRUE(client.Replay().empty());
  // Joining is itself an event, so the head may be past the welcome's cursor: leave that out.
  Json shown = welcome;
  shown.as_object()["cursor"] = At(expected, "cursor");
  EXPECT_EQ(shown, expected);
}

TEST_F(SessionTest, ConnectionIdsAreDistinct) {
  Client one = Connect(101);
  Client two = Connect(101);
  EXPECT_NE(one.connection_id(), two.connection_id());
}

TEST_F(SessionTest, TakesTheTokenFromTheHeader) {
  EXPECT_EQ(Number(Connect(101).Welcome(), "userId"), 101);
}

TEST_F(SessionTest, TakesTheTokenFromTheQuery) {
  Client client = Open({.query = "token=" + UserToken(101)});
  EXPECT_EQ(Number(client.Welcome(), "userId"), 101);
}

TEST_F(SessionTest, TakesTheTokenFromASubprotocolAndAnswersTheOther) {
  Client client =
      Open({.headers = {{"Sec-WebSocket-Protocol", "msab.v1, token." + UserToken(101)}}});
  EXPECT_EQ(Number(client.Welcome(), "userId"), 101);
  EXPECT_EQ(client.socket().Header("Sec-WebSocket-Protocol"), "msab.v1");
}

TEST_F(SessionTest, AnswersASubprotocolOnlyIfItWasOffered) {
  EXPECT_EQ(Connect(101).socket().Header("Sec-WebSocket-Protocol"), "");
}

TEST_F(SessionTest, TakesTheTokenFromAFirstFrame) {
  Emit(Marker(101, 1));
  const std::string cursor = door().GetCursor().cursor;
  Emit(Marker(101, 2));
  Client client = Open({});
  ASSERT_TRUE(
      client.Send(absl::StrCat(R"({"id":5,"event":"auth","data":{"token":")", UserToken(101),
                               R"(","cursor":")", cursor, R"(","rooms":["42"]}})")));
  EXPECT_EQ(Number(client.Welcome(), "userId"), 101);
  EXPECT_EQ(At(client.Welcome(), "recovered"), Json(true));
  EXPECT_EQ(At(client.Welcome(), "rooms"), ParseJson(R"(["42"])"));
  const std::vector<Json> frames =
      client.Until([](const Json& frame) { return Text(frame, "event") == "live"; });
  int replies = 0;
  int markers = 0;
  for (const Json& frame : frames) {
    if (Number(frame, "reply") == 5) {
      ++replies;
      EXPECT_EQ(At(frame, "ok"), Json(true));
      EXPECT_GT(Number(At(frame, "data"), "tokenExpiresAt"), NowSeconds() * 1'000);
    }
    if (MarkerNumber(frame) == 2) ++markers;
  }
  if (replies == 0) {
    EXPECT_EQ(Number(client.Next(), "reply"), 5);
  }
  EXPECT_EQ(markers, 1);
}

TEST_F(SessionTest, WhoSaysNothingIsShownTheDoor) {
  Start({.settings = {{"ws.auth_timeout", "300ms"}}});
  Client silent = Open({});
  EXPECT_EQ(silent.CloseCode(), 4500);
  EXPECT_EQ(silent.CloseReason(), "authentication required");
}

TEST_F(SessionTest, ABadTokenInAFirstFrameIsRefused) {
  Client client = Open({});
  client.Send(R"({"id":1,"event":"auth","data":{"token":"no.token.this"}})");
  EXPECT_EQ(client.CloseCode(), 4500);
  EXPECT_EQ(client.CloseReason(), "invalid credentials");
}

TEST_F(SessionTest, WithoutATokenNothingIsDone) {
  Client client = Open({});
  const auto code_of = [&client](const std::string& frame) {
    client.Send(frame);
    return Text(At(ParseJson(client.socket().Receive().value_or("{}")), "error"), "code");
  };
  EXPECT_EQ(code_of(R"({"id":1,"event":"room:join","data":{"roomId":"42"}})"), "UNAUTHENTICATED");
  EXPECT_EQ(code_of(R"({"id":2,"event":"auth"})"), "INVALID_PAYLOAD");
  EXPECT_EQ(Emit(R"({"room_level_up":{"room_id":42,"new_level":1,"new_room_xp":"1"}})").connections,
            0);
  EXPECT_EQ(Emit(R"({"config_invalidate":{"type":"all"}})").connections, 0);
  // It may still show one.
  client.Send(absl::StrCat(R"({"event":"auth","data":{"token":")", UserToken(101), R"("}})"));
  EXPECT_EQ(Number(client.Welcome(), "userId"), 101);
  EXPECT_EQ(At(client.Welcome(), "rooms"), ParseJson("[]"));
}

TEST_F(SessionTest, PingsWhoHearsNothingElseWithAFreshCursor) {
  Start({.settings = {{"ws.ping_interval", "100ms"}}});
  Client client = Connect(101);
  EXPECT_EQ(Number(client.Welcome(), "pingInterval"), 100);
  Emit(Marker(102, 1));
  const std::string head = Emit(Marker(102, 2)).cursor;
  while (client.app_pings() < 3) client.Next(Millis(50));
  EXPECT_EQ(client.last_ping(), Json(JsonObject{{"event", "ping"}, {"cursor", head}}));
}

TEST_F(SessionTest, ClosesWhoDoesNotAnswerAPing) {
  Start({.settings = {{"ws.ping_interval", "100ms"}, {"ws.ping_timeout", "300ms"}}});
  // A client that reads bytes but never answers: raw, so that no library sends the pong.
  RawSocket mute(relay().host(), relay().ws_port());
  mute.Send(absl::StrCat("GET /ws?token=", UserToken(101),
                         " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                         "Sec-WebSocket-Version: 13\r\n\r\n"));
  // A close frame, 4002 and its reason.
  const std::string close = std::string("\x0f\xa2", 2) + "no answer to ping";
  EXPECT_NE(mute.ReadThrough(close), std::string::npos);
  // One that answers stays.
  Client polite = Connect(102);
  while (polite.app_pings() < 10) polite.Next(Millis(50));
  EXPECT_FALSE(polite.socket().closed());
}

TEST_F(SessionTest, AnswersPingCommandsAtOnce) {
  Client client = Connect(101);
  EXPECT_EQ(client.Command("ping", "null"), ParseJson(R"({"reply":1,"ok":true,"data":{}})"));
  // Without an id there is no reply; the next answer is that of the next command.
  client.Send(R"({"event":"ping"})");
  EXPECT_EQ(Number(client.Command("ping", "{}"), "reply"), 2);
}

TEST_F(SessionTest, RenewsInPlace) {
  relay();  // started before the clock runs
  Client client = Open({.token = TokenUntil(101, NowSeconds() + 3)});
  const int64_t later = NowSeconds() + 500;
  const Json answer =
      client.Ask("auth", absl::StrCat(R"({"token":")", TokenUntil(101, later), R"("})"));
  EXPECT_EQ(answer, Json(JsonObject{{"tokenExpiresAt", later * 1'000}}));
  // Past the first token's end it is still there: an emit waits for that second to be over.
  ASSERT_TRUE(Await(
      [&] { return NowSeconds() * 1'000 > Number(client.Welcome(), "tokenExpiresAt") + 1'500; }));
  EXPECT_EQ(Emit(Marker(101, 1)).users_online, 1);
  client.Ask("ping", "{}");
}

TEST_F(SessionTest, ABadRenewalChangesNothing) {
  Client client = Connect(101);
  for (const std::string& token :
       {UserToken(102), std::string("x"), TokenUntil(101, NowSeconds() - 1), std::string()}) {
    EXPECT_EQ(client.Refused("auth", absl::StrCat(R"({"token":)", Quoted(token), "}")),
              "UNAUTHENTICATED");
  }
  for (const std::string data : {"{}", "null", R"({"token":5})", "[]"}) {
    EXPECT_EQ(client.Refused("auth", data), "INVALID_PAYLOAD") << data;
  }
  client.Ask("ping", "{}");
  EXPECT_EQ(Emit(Marker(101, 1)).users_online, 1);
}

TEST_F(SessionTest, EndsWhenItsTokenDoes) {
  relay();  // started before the clock runs
  const int64_t expires = NowSeconds() + 3;
  Client client = Open({.token = TokenUntil(101, expires)});
  EXPECT_EQ(Number(client.Welcome(), "tokenExpiresAt"), expires * 1'000);
  EXPECT_EQ(client.CloseCode(), 4001);
  EXPECT_EQ(client.CloseReason(), "token expired");
  EXPECT_GE(NowSeconds(), expires);
  EXPECT_EQ(Emit(Marker(101, 1)).users_online, 0);
}

TEST_F(SessionTest, AnExpiredTokenAtConnectAsksToComeBack) {
  EXPECT_EQ(CloseCodeOf({.token = TokenUntil(101, NowSeconds() - 1)}), 4001);
}

TEST_F(SessionTest, ClosesOnFramesThatAreNoCommands) {
  for (const std::string& frame :
       {std::string("{"), std::string(""), std::string("[]"), std::string("7"), std::string("null"),
        std::string("\"ping\""), std::string("{}"), std::string(R"({"id":1})"),
        std::string(R"({"id":1,"event":5})"), std::string(R"({"id":"1","event":"ping"})"),
        std::string(R"({"id":1.5,"event":"ping"})"), std::string(R"({"id":null,"event":"ping"} x)"),
        std::string(R"({"event":"ping"}{})"), std::string(5'000, '[')}) {
    SCOPED_TRACE(frame.substr(0, 50));
    Client client = Connect(101);
    client.Send(frame);
    EXPECT_EQ(client.CloseCode(), 4502);
    EXPECT_THAT(client.CloseReason(), StartsWith("protocol error"));
  }
  Client binary = Connect(101);
  binary.socket().SendBinary(R"({"id":1,"event":"ping"})");
  EXPECT_EQ(binary.CloseCode(), 4502);
}

TEST_F(SessionTest, AnswersUnknownCommandsAndStaysOpen) {
  Client client = Connect(101);
  for (const std::string event : {"room:leap", "", "balance.updated", "welcome", "__proto__"}) {
    EXPECT_EQ(client.Refused(event, "{}"), "UNKNOWN_EVENT") << event;
  }
  client.Ask("ping", "{}");
}

TEST_F(SessionTest, AMessageHas16KiBAtMost) {
  const auto ping = [](size_t size) {
    const std::string empty = R"({"id":1,"event":"ping","data":{"x":""}})";
    return absl::StrCat(R"({"id":1,"event":"ping","data":{"x":")",
                        std::string(size - empty.size(), 'a'), "\"}}");
  };
  Client client = Connect(101);
  client.Send(ping(16 * 1'024));
  EXPECT_EQ(Number(client.Next(), "reply"), 1);
  client.Send(ping(16 * 1'024 + 1));
  EXPECT_EQ(client.CloseCode(), 1009);
}

TEST_F(SessionTest, CommandsAreLimitedPerConnection) {
  Start({.settings = {{"limits.client_burst", "5"}, {"limits.client_rate", "1"}}});
  Client client = Connect(101);
  int answered = 0;
  int limited = 0;
  for (int i = 0; i < 20; ++i) {
    const Json reply = client.Command("ping", "{}");
    if (At(reply, "ok") == Json(true)) {
      ++answered;
      continue;
    }
    ++limited;
    EXPECT_EQ(Text(At(reply, "error"), "code"), "RATE_LIMITED") << reply;
    const int64_t after = Number(At(reply, "error"), "retryAfter");
    EXPECT_GT(after, 0) << reply;
    EXPECT_LE(after, 1'000) << reply;
  }
  EXPECT_GE(answered, 5);
  EXPECT_GT(limited, 0);
  // Another connection of the same user has a budget of its own.
  Connect(101).Ask("ping", "{}");
}

TEST_F(SessionTest, AUserHasSoManyConnectionsAtOnce) {
  Start({.settings = {{"ws.max_per_user", "2"}}});
  Client one = Connect(101);
  Client two = Connect(101);
  Client three = Open({.token = UserToken(101)});
  EXPECT_EQ(three.CloseCode(), 4004);
  EXPECT_EQ(three.CloseReason(), "too many connections");
  Connect(102);
  one.Ask("ping", "{}");
  EXPECT_EQ(Emit(Marker(101, 1)).connections, 2);
  two.socket().Close();
  EXPECT_TRUE(Await([this] { return Emit(Marker(101, 2)).connections == 1; }));
  Connect(101);
}

TEST_F(SessionTest, AClosedConnectionIsNoLongerOnline) {
  Client polite = Connect(101);
  Client rude = Connect(102);
  EXPECT_TRUE(polite.socket().Close());
  EXPECT_EQ(polite.socket().close_code(), 1000);
  rude.socket().Drop();
  EXPECT_TRUE(Await([this] { return Emit(Marker(101, 1)).users_online == 0; }));
  EXPECT_TRUE(Await([this] { return Emit(Marker(102, 1)).users_online == 0; }));
}

}  // namespace
}  // namespace msab::e2e
