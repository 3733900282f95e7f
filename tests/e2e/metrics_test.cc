// Counters that move with what they count: each event, each end of a connection, each refusal.
#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

class MetricsTest : public RelayTest {
 protected:
  // Does `work` and expects the sum of the metric's series with `labels` to grow by `growth`.
  // Counters of a connection's end follow its close, so they are waited for.
  void ExpectGrowth(const std::string& metric, const std::string& labels, double growth,
                    const std::function<void()>& work) {
    const double before = relay().Metric(metric, labels);
    work();
    EXPECT_TRUE(Await([&] { return relay().Metric(metric, labels) >= before + growth; }))
        << metric << "{" << labels << "}";
    EXPECT_EQ(relay().Metric(metric, labels), before + growth) << metric << "{" << labels << "}";
  }

  int CloseCodeOf(const Hello& hello) { return Open(hello).CloseCode(); }
};

TEST_F(MetricsTest, CountEmitsByEventAndRefusalsByCode) {
  const std::string duplicate = R"({"event_id":"d","target":{"user_id":1},)"
                                R"("agency_dissolved":{"agency_id":1,"agency_name":"A"}})";
  ExpectGrowth("msab_emits_accepted_total", R"(event="agency.dissolved")", 1,
               [&] { Emit(duplicate); });
  ExpectGrowth("msab_emits_duplicate_total", "", 1, [&] { Emit(duplicate); });
  ExpectGrowth("msab_emits_unreached_total", "", 1, [&] { Emit(Marker(1, 1)); });
  ExpectGrowth("msab_emits_refused_total", R"(code="INVALID_ARGUMENT")", 1,
               [&] { door().Emit("{}"); });
  ExpectGrowth("msab_emits_refused_total", R"(code="ALREADY_EXISTS")", 1,
               [&] { door().Emit(R"({"event_id":"d","balance_updated":{"user_id":1}})"); });
  for (const DoorKind kind : {DoorKind::kGrpc, DoorKind::kTwin}) {
    ExpectGrowth("msab_emits_refused_total", R"(code="UNAUTHENTICATED")", 1,
                 [&] { OpenDoor(kind, relay(), "wrong")->Emit(Marker(1, 1)); });
  }
  ExpectGrowth("msab_emits_expired_total", "", 1, [&] {
    Emit(R"({"target":{"user_id":1},"occurred_at":"2026-01-01T00:00:00Z","ttl":"1s",)"
         R"("agency_dissolved":{"agency_id":1,"agency_name":"A"}})");
  });
}

TEST_F(MetricsTest, CountConnectionsAndWhyTheyEnded) {
  Start({.settings = {{"ws.max_per_user", "1"}}});
  const auto closed = [](const std::string& cause) {
    return absl::StrCat("cause=\"", cause, "\"");
  };
  const std::string ended = "msab_connections_closed_total";
  ExpectGrowth("msab_sessions_opened_total", "", 1, [&] {
    ExpectGrowth(ended, closed("client"), 1, [&] { Connect(101).socket().Close(); });
  });
  ExpectGrowth(ended, closed("protocol_error"), 1, [&] {
    Client client = Connect(101);
    client.Send("{");
    client.CloseCode();
  });
  ExpectGrowth(ended, closed("unauthenticated"), 1, [&] { CloseCodeOf({.token = "x"}); });
  ExpectGrowth(ended, closed("token_expired"), 1,
               [&] { CloseCodeOf({.token = SignToken(R"({"sub":"1","exp":1000000000})")}); });
  ExpectGrowth(ended, closed("origin"), 1, [&] {
    CloseCodeOf({.token = UserToken(101), .headers = {{"Origin", "https://evil.example"}}});
  });
  Client first = Connect(101);
  EXPECT_EQ(relay().Metric("msab_sessions"), 1);
  EXPECT_EQ(relay().Metric("msab_users_online"), 1);
  ExpectGrowth(ended, closed("too_many"), 1, [&] { CloseCodeOf({.token = UserToken(101)}); });
  ExpectGrowth("msab_upgrades_refused_total", R"(reason="not_found")", 1,
               [&] { Fetch(relay().host(), relay().ws_port(), "GET", "/nothing"); });
}

TEST_F(MetricsTest, CountWhatClientsAskAndGet) {
  Client client = Connect(101);
  const std::string cursor = client.cursor();
  ExpectGrowth("msab_commands_answered_total", R"(command="room:join")", 1,
               [&] { client.Ask("room:join", R"({"roomId":"42"})"); });
  ExpectGrowth("msab_commands_answered_total", R"(command="chat:message")", 1,
               [&] { client.Refused("chat:message", "{}"); });
  ExpectGrowth("msab_frames_total", "", 1, [&] { Emit(Marker(101, 1)); });
  ExpectGrowth("msab_resumes_recovered_total", "", 1, [&] {
    ExpectGrowth("msab_frames_replayed_total", "", 1,
                 [&] { Open({.token = UserToken(101), .cursor = cursor}).Replay(); });
  });
  ExpectGrowth("msab_resumes_gap_total", R"(gap="epoch")", 1,
               [&] { Open({.token = UserToken(101), .cursor = "other-1"}).Replay(); });
}

}  // namespace
}  // namespace msab::e2e
