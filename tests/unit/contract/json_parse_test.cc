#include "server/contract/json_parse.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "boost/json/error.hpp"
#include "boost/json/serialize.hpp"

namespace msab {
namespace {

// The text that is sent on; empty if it was refused.
std::string Again(std::string_view text) {
  boost::system::error_code error;
  const boost::json::value value = ParseJson(text, error);
  return error ? "" : boost::json::serialize(value);
}

TEST(JsonParseTest, ReadsJson) {
  EXPECT_EQ(Again(R"({"a":[1,-2,"x",null,true,{"b":1.5}]})"),
            R"({"a":[1,-2,"x",null,true,{"b":1.5E0}]})");
}

TEST(JsonParseTest, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"", "{", "NaN", "Infinity", "{\"a\":01}", "1 2"}) {
    EXPECT_EQ(Again(text), "") << text;
  }
}

TEST(JsonParseTest, RefusesNumbersBeyondADouble) {
  for (const std::string_view text :
       {"1e400", "-92e0107798", "[1,[1e309]]", R"({"a":{"b":-1e400}})", "1e99999999999"}) {
    boost::system::error_code error;
    EXPECT_TRUE(ParseJson(text, error).is_null()) << text;
    EXPECT_EQ(error, boost::json::make_error_code(boost::json::error::exponent_overflow)) << text;
  }
  EXPECT_EQ(Again("1" + std::string(400, '0')), "");
}

TEST(JsonParseTest, TakesAZeroWithAnyExponentForZero) {
  EXPECT_EQ(Again("0e107798"), "0E0");
  EXPECT_EQ(Again("[-0.000e999,1e-400]"), "[-0E0,0E0]");
}

TEST(JsonParseTest, ReadsTheDoubleThatIsNearest) {
  EXPECT_EQ(Again("10e24"), "1E25");
  EXPECT_EQ(Again("[0.30000000000000004,1e23,5e-324,1.7976931348623157e308]"),
            "[3.0000000000000004E-1,1E23,5E-324,1.7976931348623157E308]");
  EXPECT_EQ(Again("0.1000000000000000055511151231257827"), "1E-1");
  EXPECT_EQ(Again("18446744073709551616"), "1.8446744073709552E19");
}

TEST(JsonParseTest, KeepsIntegersOf64Bits) {
  const char* const text = "[-9223372036854775808,9223372036854775807,18446744073709551615,0]";
  EXPECT_EQ(Again(text), text);
}

TEST(JsonParseTest, ReadsWhatIsLongerThanItsBuffer) {
  const std::string text =
      "{\"" + std::string(5000, 'k') + "\":\"" + std::string(9000, 'v') + "\"}";
  EXPECT_EQ(Again(text), text);
}

TEST(JsonParseTest, RefusesWhatIsNestedTooDeep) {
  EXPECT_NE(Again(std::string(32, '[') + std::string(32, ']')), "");
  EXPECT_EQ(Again(std::string(33, '[') + std::string(33, ']')), "");
}

}  // namespace
}  // namespace msab
