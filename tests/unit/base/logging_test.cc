#include "server/base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace msab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kJwt[] = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2ln-na_ture";

TEST(LogValueTest, QuotesWhatLogfmtCannotHoldBare) {
  EXPECT_EQ(LogValue("room:42"), "room:42");
  EXPECT_EQ(LogValue(""), "\"\"");
  EXPECT_EQ(LogValue("two words"), "\"two words\"");
  EXPECT_EQ(LogValue("a=b"), "\"a=b\"");
  EXPECT_EQ(LogValue("say \"hi\" \\o/"), R"("say \"hi\" \\o/")");
}

TEST(LogValueTest, KeepsALineALine) {
  EXPECT_EQ(LogValue("a\nlevel=error\r\x1b[31m"), R"("a\nlevel=error\x0d\x1b[31m")");
  EXPECT_EQ(LogValue(std::string("a\0b", 3)), R"("a\x00b")");
}

TEST(LogValueTest, CutsTokensAndLengthyValues) {
  EXPECT_EQ(LogValue(kJwt), "\"eyJ…\"");
  EXPECT_EQ(LogValue(std::string("GET /ws?token=") + kJwt + "&cursor=a-1"),
            "\"GET /ws?token=eyJ…&cursor=a-1\"");
  EXPECT_EQ(LogValue(std::string(kJwt) + " " + kJwt), "\"eyJ… eyJ…\"");
  EXPECT_EQ(LogValue(std::string(300, 'x')), "\"" + std::string(256, 'x') + "…\"");
}

TEST(LogLineTest, IsOneLineOfPairs) {
  ::testing::internal::CaptureStderr();
  StartLogging("info");
  LogLine(LogLevel::info, "connection closed")
      .With("conn", "abc")
      .With("user", int64_t{42})
      .With("code", 4000)
      .With("clean", true)
      .With("reason", "slow consumer");
  LogLine(LogLevel::debug, "unseen").With("conn", "abc");
  LogLine(LogLevel::warn, "token refused").With("detail", kJwt);
  StopLogging();
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text,
              ::testing::MatchesRegex(
                  "ts=[0-9-]+T[0-9:.]+Z level=info msg=\"connection closed\" conn=abc user=42 "
                  "code=4000 clean=true reason=\"slow consumer\"\n"
                  "ts=[0-9-]+T[0-9:.]+Z level=warn msg=\"token refused\" detail=\"eyJ…\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("sdWIi")));
}

TEST(LogLineTest, SpeaksBeforeTheLogStartsIfItMatters) {
  ::testing::internal::CaptureStderr();
  LogLine(LogLevel::info, "small talk").With("subject", "weather");
  LogLine(LogLevel::err, "cannot start").With("fault", "port in use");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "level=error msg=\"cannot start\" fault=\"port in use\"\n");
}

TEST(LogEveryTest, LetsOneThroughAnIntervalAndCountsTheRest) {
  LogEvery every(60'000);
  uint64_t suppressed = 99;
  EXPECT_TRUE(every.Due(1'000, suppressed));
  EXPECT_EQ(suppressed, 0u);
  EXPECT_FALSE(every.Due(1'001, suppressed));
  EXPECT_FALSE(every.Due(60'999, suppressed));
  EXPECT_TRUE(every.Due(61'000, suppressed));
  EXPECT_EQ(suppressed, 2u);
  EXPECT_FALSE(every.Due(61'000, suppressed));
}

}  // namespace
}  // namespace msab
