#include "server/contract/json_text.h"

#include <cmath>
#include <limits>
#include <string>

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"

namespace msab {
namespace {

std::string String(std::string_view text) {
  std::string out;
  return AppendJsonString(text, &out) ? out : "refused";
}

std::string Double(double number) {
  std::string out;
  return AppendJsonDouble(number, &out) ? out : "refused";
}

TEST(JsonText, EscapesWhatJsonWants) {
  EXPECT_EQ(String(""), R"("")");
  EXPECT_EQ(String(R"(a"b\c/d)"), R"("a\"b\\c/d")");
  EXPECT_EQ(String("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(String(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST(JsonText, WritesEveryCharacterSoThatAReaderGetsItBack) {
  for (int c = 0; c < 128; ++c) {
    const std::string text(1, static_cast<char>(c));
    EXPECT_EQ(boost::json::parse(String(text)).as_string(), text) << c;
  }
}

TEST(JsonText, PassesUnicodeAsItIs) {
  for (const char* text : {"é", "€", "👋", "\u2028\u2029", "\ufffd", "a\u00e9\U0001f44bz"}) {
    EXPECT_EQ(String(text), std::string("\"") + text + "\"");
  }
}

TEST(JsonText, RefusesWhatIsNotUtf8) {
  for (const char* text : {
           "\x80",              // a continuation alone
           "a\xc3",             // cut off
           "\xc3(",             // no continuation
           "\xc0\xaf",          // overlong '/'
           "\xe0\x80\xaf",      // overlong
           "\xed\xa0\x80",      // a surrogate
           "\xf4\x90\x80\x80",  // past U+10FFFF
           "\xff",
       }) {
    EXPECT_EQ(String(text), "refused");
    EXPECT_EQ(CountCharacters(text), std::nullopt);
  }
}

TEST(JsonText, WritesIntegersToTheirEnds) {
  std::string out;
  AppendJsonInt(std::numeric_limits<int64_t>::min(), &out);
  out.push_back(' ');
  AppendJsonInt(std::numeric_limits<int64_t>::max(), &out);
  EXPECT_EQ(out, "-9223372036854775808 9223372036854775807");
}

TEST(JsonText, WritesWholeDoublesAsIntegers) {
  EXPECT_EQ(Double(0), "0");
  EXPECT_EQ(Double(-7), "-7");
  EXPECT_EQ(Double(9007199254740992), "9007199254740992");
  EXPECT_EQ(Double(-9007199254740992), "-9007199254740992");
  EXPECT_EQ(Double(1e300), "1e+300");
}

TEST(JsonText, WritesOtherDoublesSoThatAReaderGetsThemBack) {
  EXPECT_EQ(Double(0.1), "0.1");
  EXPECT_EQ(Double(-1.5), "-1.5");
  for (const double number : {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456.789}) {
    EXPECT_EQ(boost::json::parse(Double(number)).as_double(), number);
  }
}

TEST(JsonText, HasNoWordForNanAndInfinity) {
  EXPECT_EQ(Double(std::nan("")), "refused");
  EXPECT_EQ(Double(std::numeric_limits<double>::infinity()), "refused");
  EXPECT_EQ(Double(-std::numeric_limits<double>::infinity()), "refused");
}

TEST(JsonText, CountsCodePoints) {
  EXPECT_EQ(CountCharacters(""), 0);
  EXPECT_EQ(CountCharacters("aé€👋"), 4);
  EXPECT_EQ(CountCharacters("e\u0301"), 2);  // a combining accent is a character of its own
}

}  // namespace
}  // namespace msab
