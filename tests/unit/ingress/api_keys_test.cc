#include "server/ingress/api_keys.h"

#include <gtest/gtest.h>

#include <string>

namespace msab {
namespace {

const ApiKeys& Keys() {
  static const ApiKeys keys({{"laravel", "first-key", true, false},
                             {"ops", "second-key", true, true},
                             {"board", "third-key", false, true}});
  return keys;
}

std::string Holder(const ApiClient* client) {
  if (client == nullptr) return "nobody";
  return client->name + (client->emit ? " emit" : "") + (client->admin ? " admin" : "");
}

TEST(ApiKeysTest, KnowsEveryKeysHolderAndRights) {
  EXPECT_EQ(Holder(Keys().Find("first-key")), "laravel emit");
  EXPECT_EQ(Holder(Keys().Find("second-key")), "ops emit admin");
  EXPECT_EQ(Holder(Keys().Find("third-key")), "board admin");
}

TEST(ApiKeysTest, TakesNothingButTheWholeKey) {
  for (const char* key :
       {"", "first", "first-key ", "First-key", "first-keyx", "laravel", "laravel:first-key"}) {
    EXPECT_EQ(Keys().Find(key), nullptr) << key;
  }
  EXPECT_EQ(Keys().Find(std::string("first-key\0", 10)), nullptr);
  EXPECT_EQ(ApiKeys({}).Find(""), nullptr);
}

TEST(ApiKeysTest, ReadsTheAuthorizationHeader) {
  for (const char* header : {"Bearer first-key", "bearer first-key", "BEARER   first-key  "}) {
    EXPECT_EQ(Holder(Keys().FindBearer(header)), "laravel emit") << header;
  }
  for (const char* header : {"", "Bearer", "Bearer ", "Bearer   ", "first-key", "Basic first-key",
                             "Bearerfirst-key", "Bearer first-key second-key"}) {
    EXPECT_EQ(Keys().FindBearer(header), nullptr) << header;
  }
}

}  // namespace
}  // namespace msab
