#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

#include "server/config.h"
#include "server/config_settings.h"
#include "server/contract/catalog.h"

namespace msab {
namespace {

std::string ReadFile(const std::string& name) {
  std::ifstream file(std::string(MSAB_SOURCE_DIR) + "/" + name);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The README has the relay's own table, word for word, between its two marks.
TEST(ReadmeTest, HasTheTableOfSettings) {
  const std::string readme = ReadFile("README.md");
  const size_t start = readme.find("<!-- settings");
  const size_t begin = readme.find('\n', start) + 1;
  const size_t end = readme.find("<!-- /settings -->");
  ASSERT_NE(start, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(readme.substr(begin, end - begin), SettingsMarkdown());
}

// The example names every key, commented out or not, and what it sets is the default.
TEST(ReadmeTest, HasAnExampleOfEverySetting) {
  const std::string example = ReadFile("deploy/config.example.toml");
  for (const Setting& setting : Settings()) {
    const std::string key(setting.key.substr(setting.key.find('.') + 1));
    const bool there = example.find("\n" + key + " = ") != std::string::npos ||
                       example.find("\n# " + key + " = ") != std::string::npos;
    EXPECT_TRUE(there) << setting.key;
  }
  const Environment secrets = {{"MSAB_API_KEYS", "laravel:key"},
                               {"MSAB_JWT_SECRETS", "a-secret-of-more-than-thirty-two-bytes"}};
  const auto from_example =
      LoadConfig(std::string(MSAB_SOURCE_DIR) + "/deploy/config.example.toml", secrets);
  ASSERT_TRUE(from_example.ok()) << from_example.status();
  EXPECT_EQ(PrintConfig(*from_example), PrintConfig(*LoadConfig(std::nullopt, secrets)));
}

// An event's row: "| `balance.updated` | new | user, named by `user_id` | latest |".
TEST(ReadmeTest, HasEveryEventOfTheContract) {
  const auto catalog = Catalog::Create({});
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  std::map<std::string, const EventType*> undocumented;
  for (const EventType* type : (*catalog)->types()) undocumented[type->name] = type;

  std::istringstream readme(ReadFile("README.md"));
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("<!-- events")) inside = true;
    if (line == "<!-- /events -->") break;
    if (!inside || !line.starts_with("| `")) continue;
    const size_t begin = line.find('`');
    const std::string name = line.substr(begin + 1, line.find('`', begin + 1) - begin - 1);
    const auto found = undocumented.find(name);
    ASSERT_NE(found, undocumented.end()) << "documented twice, or not in the contract: " << name;
    const EventType& type = *found->second;
    const std::string delivery = type.delivery == DeliveryClass::kDurable  ? "durable"
                                 : type.delivery == DeliveryClass::kLatest ? "latest"
                                                                           : "ephemeral";
    EXPECT_TRUE(line.ends_with("| " + delivery + " |")) << line;
    EXPECT_EQ(line.find("| user,") != std::string::npos, type.to_user) << line;
    EXPECT_EQ(line.find("| room,") != std::string::npos, type.to_room) << line;
    EXPECT_EQ(line.find("| everyone") != std::string::npos, type.to_everyone) << line;
    undocumented.erase(found);
  }
  for (const auto& [name, type] : undocumented) ADD_FAILURE() << "not in README.md: " << name;
}

}  // namespace
}  // namespace msab
