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
  EXPECT_EQ(Again("[-0.000e999,1e-400]"), "[0E0,0E0]");
}

TEST(JsonParseTest, RefusesWhatIsNestedTooDeep) {
  EXPECT_NE(Again(std::string(32, '[') + std::string(32, ']')), "");
  EXPECT_EQ(Again(std::string(33, '[') + std::string(33, ']')), "");
}

}  // namespace
}  // namespace msab
