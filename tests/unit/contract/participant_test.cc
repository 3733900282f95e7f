#include "server/contract/participant.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/string.hpp"
#include "boost/json/value.hpp"

namespace msab {
namespace {

using boost::json::parse;

boost::json::value Shown(const std::string& known) {
  return parse(ParticipantJson(42, parse(known).as_object()));
}

TEST(ParticipantTest, ShowsWhatIsKnown) {
  EXPECT_EQ(
      Shown(R"({"id":7,"name":"Ann \"A\"","avatar":"https://a/b.png","vip_level":3,"x":null})"),
      parse(R"({"id":42,"name":"Ann \"A\"","avatar":"https://a/b.png","vip_level":3,"x":null})"));
}

TEST(ParticipantTest, HasANameAndAnAvatarOrNullWhateverIsKnown) {
  for (const char* known :
       {"{}", R"({"id":7})", R"({"name":null,"avatar":null})", R"({"name":"","avatar":""})",
        R"({"name":[],"avatar":{}})", R"({"name":true,"avatar":false})"}) {
    EXPECT_EQ(Shown(known), parse(R"({"id":42,"name":"42","avatar":null})")) << known;
  }
  EXPECT_EQ(Shown(R"({"name":12,"avatar":7})"), parse(R"({"id":42,"name":"12","avatar":"7"})"));
}

TEST(ParticipantTest, KeepsToTheLengthsOfTheContract) {
  const auto with = [](size_t name, size_t avatar) {
    return Shown(absl::StrCat(R"({"name":")", std::string(name, 'n'), R"(","avatar":")",
                              std::string(avatar, 'a'), "\"}"));
  };
  EXPECT_EQ(with(256, 2048).at("name").as_string().size(), 256U);
  EXPECT_EQ(with(256, 2048).at("avatar").as_string().size(), 2048U);
  EXPECT_EQ(with(257, 2049), parse(R"({"id":42,"name":"42","avatar":null})"));
}

}  // namespace
}  // namespace msab
