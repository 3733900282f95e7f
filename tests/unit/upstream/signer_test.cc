#include "server/upstream/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace msab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Secret(const std::string& bytes) {
  return absl::StrCat("whsec_", absl::Base64Escape(bytes));
}

// The worked example of the Standard Webhooks libraries.
TEST(SignerTest, SignsAsTheStandardHasIt) {
  const auto signer = WebhookSigner::Create({"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
  ASSERT_TRUE(signer.ok()) << signer.status();
  EXPECT_EQ(signer->Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(SignerTest, SignsOnceForEachSecret) {
  const std::string a = Secret(std::string(24, 'a'));
  const std::string b = Secret(std::string(64, 'b'));
  const std::string by_a = WebhookSigner::Create({a})->Sign("id", 1, "body");
  const std::string by_b = WebhookSigner::Create({b})->Sign("id", 1, "body");
  EXPECT_NE(by_a, by_b);
  EXPECT_EQ(WebhookSigner::Create({a, b})->Sign("id", 1, "body"), by_a + " " + by_b);
  EXPECT_NE(WebhookSigner::Create({a})->Sign("id", 2, "body"), by_a);
  EXPECT_NE(WebhookSigner::Create({a})->Sign("ie", 1, "body"), by_a);
  EXPECT_NE(WebhookSigner::Create({a})->Sign("id", 1, "bodx"), by_a);
}

TEST(SignerTest, RefusesOtherSecretsWithoutTellingThem) {
  for (const std::string& bad :
       {std::string("hush"), Secret(std::string(23, 'a')), Secret(std::string(65, 'a')),
        std::string("whsec_"), std::string("whsec_!!!!hush"), std::string()}) {
    const auto signer = WebhookSigner::Create({bad});
    EXPECT_EQ(signer.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(signer.status().message()), Not(HasSubstr("hush")));
  }
  EXPECT_FALSE(WebhookSigner::Create({}).ok());
}

}  // namespace
}  // namespace msab
