// A relay that has run out of file descriptors.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/raw_socket.h"
#include "tests/e2e/harness/relay_test.h"
#include "tests/e2e/harness/wait.h"

namespace msab::e2e {
namespace {

class DescriptorsTest : public RelayTest {
 protected:
  // How many the relay has open.
  size_t Open() {
    const std::filesystem::directory_iterator entries(absl::StrCat("/proc/", relay().pid(), "/fd"));
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

  void Allow(rlim_t descriptors) {
    rlimit limit{};
    ASSERT_EQ(prlimit(relay().pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
    limit.rlim_cur = descriptors;
    ASSERT_EQ(prlimit(relay().pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
  }

  // Emits over this connection to the internal port, which stays open.
  static void EmitOver(RawSocket& http, const std::string& request) {
    http.Send(absl::StrCat("POST /v1/events:emit HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ",
                           kApiKey, "\r\nContent-Type: application/json\r\nContent-Length: ",
                           request.size(), "\r\n\r\n", request));
    ASSERT_NE(http.ReadThrough("\"connections\":1"), std::string::npos) << http.buffer();
    EXPECT_EQ(http.buffer().rfind("HTTP/1.1 200", 0), 0u) << http.buffer();
    http.buffer().clear();
  }

  size_t Occurrences(const std::string& text) {
    size_t count = 0;
    const std::string log = relay().Log();
    for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
    return count;
  }
};

TEST_F(DescriptorsTest, AcceptingPausesAndWhoIsConnectedIsUndisturbed) {
  // Those that wait here must not be sent away for it.
  Start({.settings = {{"ws.auth_timeout", "60s"}}});
  Client early = Connect(101);
  // Events come over one HTTP connection: a sanitizer opens a pipe for each type that it first
  // meets, and gRPC meets its last ones only after a call's answer.
  RawSocket emitter(relay().host(), relay().http_port());
  EmitOver(emitter, Marker(101, 1));
  EXPECT_EQ(MarkerNumber(early.Next()), 1);

  constexpr size_t kFew = 3;
  const size_t open = Open();
  Allow(open + kFew);
  // The kernel completes these connections; whether the relay has accepted them they can't tell.
  std::vector<std::unique_ptr<RawSocket>> waiting;
  for (size_t i = 0; i < 4 * kFew; ++i) {
    waiting.push_back(std::make_unique<RawSocket>(relay().host(), relay().ws_port()));
  }
  ASSERT_TRUE(Await([&] { return Occurrences("accepting pauses") > 0; }));
  EmitOver(emitter, Marker(101, 2));
  EXPECT_EQ(MarkerNumber(early.Next()), 2);

  // Descriptors are there again: those who wait are let in, and all is as before.
  Allow(open + 100);
  for (const auto& socket : waiting) {
    socket->Send("GET /nothing HTTP/1.1\r\nHost: relay\r\n\r\n");
    EXPECT_NE(socket->ReadThrough("404"), std::string::npos);
  }
  Client late = Connect(102);
  Emit(Marker(102, 3));
  EXPECT_EQ(MarkerNumber(late.Next()), 3);
  EXPECT_GE(relay().Metric("msab_accept_paused_total"), 1);
  EXPECT_EQ(Occurrences("accepting pauses"), 1u) << "once a minute";
}

// gRPC's listener ends for good at the first accept without a descriptor, so the public door must
// not take the last ones, whoever comes.
TEST_F(DescriptorsTest, ClientsLeaveSomeToThoseWhoEmitAndWatch) {
  constexpr size_t kAll = 400;
  Start({.settings = {{"ws.auth_timeout", "60s"}, {"ws.max_unauthenticated", "0"}},
         .descriptors = kAll});
  std::vector<std::unique_ptr<RawSocket>> strangers;
  for (size_t i = 0; i < 2 * kAll; ++i) {
    strangers.push_back(std::make_unique<RawSocket>(relay().host(), relay().ws_port()));
  }
  // Some are refused, and once too many of these are about, the rest waits outside.
  ASSERT_TRUE(Await([&] { return Occurrences("accepting pauses") > 0; }));
  EXPECT_GT(relay().Metric("msab_upgrades_refused_total", "too_many_open"), 0);
  EXPECT_GE(relay().Metric("msab_accept_paused_total"), 1);
  EXPECT_LT(Open(), kAll);

  // A new HTTP/2 connection: its preface is answered by the server's settings (RFC 9113, 3.4).
  const auto greets = [this] {
    RawSocket grpc(relay().host(), relay().grpc_port());
    grpc.Send(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
    return grpc.ReadAtLeast(9);
  };
  EXPECT_TRUE(greets());
  strangers.clear();
  EXPECT_TRUE(greets());
  Client late = Connect(101);
  Emit(Marker(101, 1));
  EXPECT_EQ(MarkerNumber(late.Next()), 1);
}

}  // namespace
}  // namespace msab::e2e
