#include "server/upstream/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace msab {
namespace {

using Status = Verdict::Status;

std::vector<Verdict> Read(const std::string& results, const std::vector<std::string_view>& ids) {
  const auto verdicts = ReadAnswer(absl::StrCat(R"({"results":[)", results, "]}"), ids);
  EXPECT_TRUE(verdicts) << results;
  return verdicts.value_or(std::vector<Verdict>(ids.size()));
}

TEST(AnswerTest, IsMatchedById) {
  const auto verdicts =
      Read(R"({"id":"c3","status":"retry","retryAfterMs":500},)"
           R"({"id":"c9","status":"accepted"},)"
           R"({"id":"c1","status":"accepted","data":{"acceptedRecipientIds":[43]}},)"
           R"({"id":"c2","status":"rejected","code":"INSUFFICIENT_BALANCE","reason":"no coins"},)"
           R"({"id":"c1","status":"rejected","code":"TWICE","reason":""})",
           {"c1", "c2", "c3", "c4"});
  ASSERT_EQ(verdicts.size(), 4U);
  EXPECT_EQ(verdicts[0].status, Status::kAccepted);
  EXPECT_TRUE(verdicts[0].data.contains("acceptedRecipientIds"));
  EXPECT_EQ(verdicts[1].status, Status::kRejected);
  EXPECT_EQ(verdicts[1].code, "INSUFFICIENT_BALANCE");
  EXPECT_EQ(verdicts[1].reason, "no coins");
  EXPECT_EQ(verdicts[2].status, Status::kRetry);
  EXPECT_EQ(verdicts[2].retry_after_ms, 500);
  EXPECT_EQ(verdicts[3].status, Status::kRetry) << "it said nothing of this one";
  EXPECT_FALSE(verdicts[3].retry_after_ms);
}

TEST(AnswerTest, ADecisionStandsWhateverItsWords) {
  const auto verdicts =
      Read(absl::StrCat(R"({"id":"a","status":"accepted","data":7},{"id":"b","status":"accepted"},)"
                        R"({"id":"c","status":"rejected","code":"no good"},)"
                        R"({"id":"d","status":"rejected","code":")",
                        std::string(65, 'X'), R"(","reason":5},{"id":"e","status":"rejected"})"),
           {"a", "b", "c", "d", "e"});
  EXPECT_EQ(verdicts[0].status, Status::kAccepted);
  EXPECT_TRUE(verdicts[0].data.empty());
  EXPECT_EQ(verdicts[1].status, Status::kAccepted);
  for (size_t i = 2; i < 5; ++i) {
    EXPECT_EQ(verdicts[i].status, Status::kRejected);
    EXPECT_EQ(verdicts[i].code, "REJECTED");
    EXPECT_EQ(verdicts[i].reason, "");
  }
}

TEST(AnswerTest, AReasonIsCutAtTwoHundredCharacters) {
  std::string reason;
  for (int i = 0; i < 201; ++i) reason += "ü";
  const auto verdicts = Read(
      absl::StrCat(R"({"id":"a","status":"rejected","code":"X","reason":")", reason, "\"}"), {"a"});
  EXPECT_EQ(verdicts[0].reason, reason.substr(2));
}

TEST(AnswerTest, AResultThatCannotBeUnderstoodIsARetry) {
  for (const char* result :
       {R"({"id":"a","status":"ACCEPTED"})", R"({"id":"a"})", R"({"id":"a","status":5})", "7",
        R"({"id":5,"status":"accepted"})", R"({"status":"accepted"})", "null",
        R"({"id":"a","status":"retry","retryAfterMs":-1})",
        R"({"id":"a","status":"retry","retryAfterMs":"1"})",
        R"({"id":"a","status":"retry","retryAfterMs":1.5})"}) {
    const auto verdicts = Read(result, {"a"});
    EXPECT_EQ(verdicts[0].status, Status::kRetry) << result;
    EXPECT_FALSE(verdicts[0].retry_after_ms) << result;
  }
  EXPECT_EQ(Read(R"({"id":"a","status":"retry","retryAfterMs":9223372036854775807})", {"a"})[0]
                .retry_after_ms,
            86'400'000);
}

TEST(AnswerTest, BrokenOnes) {
  for (const char* body :
       {"", "null", "[]", "{}", R"({"results":{}})", R"({"results":null})", R"({"results":[)",
        R"({"results":[]} x)", "<html>", R"({"results":[{"id":"a","x":1e400}]})"}) {
    EXPECT_FALSE(ReadAnswer(body, {"a"})) << body;
  }
  EXPECT_FALSE(ReadAnswer(std::string(100, '['), {"a"}));
}

TEST(RetryAfterTest, SecondsOrADate) {
  const int64_t now = 1'767'225'600'000;  // 2026-01-01T00:00:00Z, a Thursday
  EXPECT_EQ(ReadRetryAfter("0", now), 0);
  EXPECT_EQ(ReadRetryAfter("120", now), 120'000);
  EXPECT_EQ(ReadRetryAfter("99999999999", now), 86'400'000);
  EXPECT_EQ(ReadRetryAfter("Thu, 01 Jan 2026 00:00:07 GMT", now), 7'000);
  EXPECT_EQ(ReadRetryAfter("Wed, 31 Dec 2025 23:59:59 GMT", now), 0);
  for (const char* bad :
       {"infinite-past", "infinite-future", "", "-1", "1.5", "soon", "99999999999999999999"}) {
    EXPECT_FALSE(ReadRetryAfter(bad, now)) << bad;
  }
}

}  // namespace
}  // namespace msab
