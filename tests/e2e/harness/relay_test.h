#ifndef MSAB_TESTS_E2E_HARNESS_RELAY_TEST_H_
#define MSAB_TESTS_E2E_HARNESS_RELAY_TEST_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/harness/client.h"
#include "tests/e2e/harness/door.h"
#include "tests/e2e/harness/relay_process.h"
#include "tests/e2e/harness/token.h"

namespace msab::e2e {

// The frames that each of several clients got, by client.
using Received = std::vector<std::vector<Json>>;

// A test with a relay of its own and ways in and out of it. SpeechTest's suites run in each
// dialect.
class RelayTest : public testing::Test {
 protected:
  // The relay starts at the first use; Start first for other settings, or before threads use it.
  RelayProcess& Start(const RelayOptions& options = {});
  RelayProcess& relay();

  // Emits over gRPC with kApiKey; the answer must be OK.
  Answer Emit(const std::string& request);
  Door& door();

  // What the connections of this test speak.
  virtual Speech speech() const { return Speech::kNative; }

  // A connection of this user, welcomed and live.
  Client Connect(int64_t user, std::vector<std::string> rooms = {});
  // Further ones, with all that a connection can bring. Not live yet.
  Client Open(const Hello& hello) { return Client(relay(), hello); }

  // Proves what each client got and that nothing else is under way to it: emits a last event to
  // all their users, and returns, by client, what came before it.
  Received Fence(const std::vector<Client*>& clients);

  // Fails if any of them got anything since it was last asked.
  void ExpectNothing(const std::vector<Client*>& clients);

 private:
  std::unique_ptr<RelayProcess> relay_;
  std::unique_ptr<Door> door_;
  int64_t fences_ = 0;
};

// A suite for both dialects:
//   using XTest = SpeechTest; TEST_P(XTest, …) …; INSTANTIATE_SPEECHES(XTest);
class SpeechTest : public RelayTest, public testing::WithParamInterface<Speech> {
 protected:
  Speech speech() const override { return GetParam(); }
};
#define INSTANTIATE_SPEECHES(suite)                                                              \
  INSTANTIATE_TEST_SUITE_P(Dialects, suite, testing::Values(Speech::kNative, Speech::kSocketIo), \
                           [](const testing::TestParamInfo<Speech>& info) {                      \
                             return info.param == Speech::kNative ? "Native" : "SocketIo";       \
                           })

// The request for a small private durable event that tests use as a numbered marker.
std::string Marker(int64_t user, int64_t number);
int64_t MarkerNumber(const Json& frame);  // −1: no marker

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_RELAY_TEST_H_
