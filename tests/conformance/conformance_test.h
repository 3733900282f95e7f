#ifndef MSAB_TESTS_CONFORMANCE_CONFORMANCE_TEST_H_
#define MSAB_TESTS_CONFORMANCE_CONFORMANCE_TEST_H_

#include <gtest/gtest.h>

#include <memory>

#include "tests/conformance/peer.h"
#include "tests/e2e/harness/relay_process.h"

namespace msab::conformance {

inline constexpr int kProtocolError = 1002;
inline constexpr int kBadData = 1007;
inline constexpr int kTooBig = 1009;
inline constexpr int kNotOurs = 4502;  // fine by RFC 6455, not by the relay's protocol

// One relay serves a whole suite: every case is a connection of its own.
class ConformanceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    e2e::RelayOptions options;
    options.settings = {{"limits.client_burst", "100000"}, {"ws.max_per_user", "1000"}};
    relay_ = std::make_unique<e2e::RelayProcess>(options);
  }
  static void TearDownTestSuite() { relay_.reset(); }

  // Sends these bytes and expects the connection to be failed with `code`, as RFC 6455 7.1.7 has
  // it, and nothing worse: the next connection is served.
  static void ExpectFailed(const std::string& bytes, int code) {
    Peer peer(*relay_);
    peer.SendBytes(bytes);
    const Ending ending = peer.End();
    EXPECT_EQ(ending.close_code, code) << ending.reason;
    EXPECT_TRUE(ending.ended);
  }

  static inline std::unique_ptr<e2e::RelayProcess> relay_;
};

}  // namespace msab::conformance

#endif  // MSAB_TESTS_CONFORMANCE_CONFORMANCE_TEST_H_
