#include "server/session/token_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "absl/strings/escaping.h"
#include "boost/json/parse.hpp"
#include "tests/support/token_maker.h"

namespace msab {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNow = 1'767'225'600'000;  // wall ms
constexpr int64_t kNowSeconds = kNow / 1000;
const std::string kSecret = "an-hs256-secret-of-at-least-32-bytes";
const std::string kOldSecret = "the-one-before-it-also-of-32-bytes-or-so";

std::string At(int64_t seconds) { return std::to_string(kNowSeconds + seconds); }

TokenVerifier::Options WithSecrets() {
  TokenVerifier::Options options;
  options.secrets = {kSecret, kOldSecret};
  options.max_token_age = 3'600'000;
  options.profile_claims = {"name", "avatar", "gender", "vip_level"};
  return options;
}

std::unique_ptr<const TokenVerifier> Make(TokenVerifier::Options options) {
  auto verifier = TokenVerifier::Create(std::move(options));
  EXPECT_TRUE(verifier.ok()) << verifier.status();
  return *std::move(verifier);
}

class TokenVerifierTest : public ::testing::Test {
 protected:
  // What became of a token with these claims (JSON without the braces), signed as it should be.
  std::variant<Identity, TokenRefusal> Verify(const std::string& claims) const {
    return verifier_->Verify(HmacToken(kSecret, "{" + claims + "}"), kNow);
  }

  void ExpectUser(UserId user, const std::string& claims) const {
    const auto verdict = Verify(claims);
    const auto* identity = std::get_if<Identity>(&verdict);
    ASSERT_NE(identity, nullptr) << claims << ": " << std::get<TokenRefusal>(verdict).reason;
    EXPECT_EQ(identity->user, user) << claims;
  }

  static void ExpectRefused(TokenError error, const std::variant<Identity, TokenRefusal>& verdict,
                            const std::string& what) {
    const auto* refusal = std::get_if<TokenRefusal>(&verdict);
    ASSERT_NE(refusal, nullptr) << what;
    EXPECT_EQ(refusal->error, error) << what << ": " << refusal->reason;
  }
  void ExpectInvalid(const std::string& claims) const {
    ExpectRefused(TokenError::kInvalid, Verify(claims), claims);
  }
  void ExpectExpired(const std::string& claims) const {
    ExpectRefused(TokenError::kExpired, Verify(claims), claims);
  }

  std::unique_ptr<const TokenVerifier> verifier_ = Make(WithSecrets());
};

TEST_F(TokenVerifierTest, TakesTheUserFromSubThenId) {
  const std::string exp = R"(,"exp":)" + At(60);
  ExpectUser(42, R"("sub":42)" + exp);
  ExpectUser(42, R"("sub":"42")" + exp);
  ExpectUser(42, R"("sub":"42","id":43)" + exp);
  ExpectUser(43, R"("id":43)" + exp);
  ExpectUser(43, R"("sub":null,"id":"43")" + exp);
  ExpectUser(9007199254740991, R"("sub":9007199254740991)" + exp);
  for (const char* sub : {"0", "-1", "1.5", "42.0", "true", "[42]", "{}", "9007199254740992",
                          "18446744073709551615", R"("")", R"("0")", R"("-1")", R"(" 42")",
                          R"("4x")", R"("9007199254740992")", R"("99999999999999999999999")"}) {
    ExpectInvalid(std::string(R"("sub":)") + sub + exp);
  }
  // A sub that can't be read is not an absent one.
  ExpectInvalid(R"("sub":"user-42","id":42)" + exp);
  ExpectInvalid(R"("name":"nobody")" + exp);
}

TEST_F(TokenVerifierTest, ExpiresAtTheInstantOfExp) {
  const auto verdict = Verify(R"("sub":1,"exp":)" + At(1));
  EXPECT_EQ(std::get<Identity>(verdict).expires_at, kNow + 1000);
  ExpectExpired(R"("sub":1,"exp":)" + At(0));
  ExpectExpired(R"("sub":1,"exp":)" + At(-1));
  ExpectExpired(R"("sub":1,"exp":0)");
  ExpectExpired(R"("sub":1,"exp":-5)");
  // A fraction of a second counts, and a far future is the last one JSON can say.
  EXPECT_EQ(std::get<Identity>(Verify(R"("sub":1,"exp":)" + At(0) + ".5")).expires_at, kNow + 500);
  EXPECT_EQ(std::get<Identity>(Verify(R"("sub":1,"exp":9e300)")).expires_at, (1LL << 53) - 1);
  ExpectInvalid(R"("sub":1,"exp":")" + At(60) + "\"");
}

TEST_F(TokenVerifierTest, FallsBackToTheAgeSinceIat) {
  EXPECT_EQ(std::get<Identity>(Verify(R"("sub":1,"iat":)" + At(-60))).expires_at,
            kNow - 60'000 + 3'600'000);
  ExpectExpired(R"("sub":1,"iat":)" + At(-3600));
  ExpectInvalid(R"("sub":1)");
  ExpectInvalid(R"("sub":1,"exp":null,"iat":null)");
  EXPECT_EQ(std::get<Identity>(Verify(R"("sub":1,"exp":null,"iat":)" + At(0))).expires_at,
            kNow + 3'600'000);
  // With an exp, the age says nothing.
  ExpectUser(1, R"("sub":1,"iat":)" + At(-36000) + R"(,"exp":)" + At(5));
}

TEST_F(TokenVerifierTest, GivesTheIssuersClockHalfAMinute) {
  const std::string exp = R"("sub":1,"exp":)" + At(600);
  ExpectUser(1, exp + R"(,"nbf":)" + At(30));
  ExpectInvalid(exp + R"(,"nbf":)" + At(31));
  ExpectUser(1, exp + R"(,"iat":)" + At(30));
  ExpectInvalid(exp + R"(,"iat":)" + At(31));
  ExpectUser(1, exp + R"(,"nbf":null)");
  ExpectInvalid(exp + R"(,"nbf":"soon")");
}

TEST_F(TokenVerifierTest, ChecksTheAudienceOnlyWhereOneIsSet) {
  const std::string claims = R"("sub":1,"exp":)" + At(60);
  ExpectUser(1, claims + R"(,"aud":"another")");
  auto options = WithSecrets();
  options.audience = "relay";
  verifier_ = Make(std::move(options));
  ExpectUser(1, claims + R"(,"aud":"relay")");
  ExpectUser(1, claims + R"(,"aud":["web",7,"relay"])");
  for (const char* aud : {R"(,"aud":"another")", R"(,"aud":[])", R"(,"aud":["web"])", R"(,"aud":7)",
                          R"(,"aud":null)", ""}) {
    ExpectInvalid(claims + aud);
  }
}

TEST_F(TokenVerifierTest, ShowsTheAllowedClaimsAndNoOthers) {
  const std::string exp = R"(,"exp":)" + At(60);
  const auto profile = [&](const std::string& claims) {
    return boost::json::parse(std::get<Identity>(Verify(claims + exp)).profile);
  };
  EXPECT_EQ(profile(R"("sub":"7","name":"Ann \"A\"","avatar":"https://a/b.png","email":"a@b.c",)"
                    R"("phone":"1","gender":null,"vip_level":3,"roles":["x"])"),
            boost::json::parse(
                R"({"id":7,"name":"Ann \"A\"","avatar":"https://a/b.png","vip_level":3})"));
  // Name and avatar are always there, and are what they are declared to be.
  const auto nobody = boost::json::parse(R"({"id":7,"name":"7","avatar":null})");
  EXPECT_EQ(profile(R"("sub":7)"), nobody);
  EXPECT_EQ(profile(R"("sub":7,"name":"","avatar":"")"), nobody);
  EXPECT_EQ(profile(R"("sub":7,"name":")" + std::string(257, 'n') + R"(","avatar":")" +
                    std::string(2049, 'a') + "\""),
            nobody);
  EXPECT_EQ(profile(R"("sub":7,"name":12,"avatar":null)"),
            boost::json::parse(R"({"id":7,"name":"12","avatar":null})"));
}

TEST_F(TokenVerifierTest, TriesEverySecret) {
  const std::string claims = R"({"sub":1,"exp":)" + At(60) + "}";
  for (const std::string& secret : {kSecret, kOldSecret}) {
    EXPECT_TRUE(
        std::holds_alternative<Identity>(verifier_->Verify(HmacToken(secret, claims), kNow)));
  }
  ExpectRefused(TokenError::kInvalid, verifier_->Verify(HmacToken(kSecret + "x", claims), kNow),
                "another's secret");
  // An expired token of nobody's is not worth a renewal.
  ExpectRefused(TokenError::kInvalid,
                verifier_->Verify(HmacToken(kSecret + "x", R"({"sub":1,"exp":1})"), kNow),
                "another's secret, expired");
}

TEST_F(TokenVerifierTest, RefusesWhatIsNotSignedAsItSays) {
  const std::string claims = R"({"sub":1,"exp":)" + At(60) + "}";
  const std::string good = HmacToken(kSecret, claims);
  const std::string unsigned_part = good.substr(0, good.rfind('.'));
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"NONE"})", R"({"alg":""})", R"({})",
        R"({"alg":null})", R"({"alg":256})", R"({"alg":"HS384"})", R"({"alg":"hs256"})",
        R"({"alg":"RS256"})", R"({"alg":"ES256"})", R"([])", "", "\"HS256\"",
        R"({"alg":"HS256","crit":["exp"]})"}) {
    ExpectRefused(TokenError::kInvalid, verifier_->Verify(HmacToken(kSecret, claims, header), kNow),
                  header);
  }
  const std::string none = Base64Url(R"({"alg":"none"})") + "." + Base64Url(claims) + ".";
  for (const std::string& token :
       {none, unsigned_part + ".", unsigned_part, good + ".", "." + good, good + "=", good + " ",
        good.substr(0, good.size() - 1), std::string("."), std::string(".."), std::string("..."),
        std::string("\0\0\0", 3), good.substr(0, 5) + '\0' + good.substr(5), good + '\0',
        std::string(9000, 'a'), "Bearer " + good}) {
    ExpectRefused(TokenError::kInvalid, verifier_->Verify(token, kNow), token);
  }
  ExpectRefused(TokenError::kMissing, verifier_->Verify("", kNow), "");
  // A claim changed after signing.
  const std::string forged = good.substr(0, good.find('.') + 1) +
                             Base64Url(R"({"sub":2,"exp":)" + At(60) + "}") +
                             good.substr(good.rfind('.'));
  ExpectRefused(TokenError::kInvalid, verifier_->Verify(forged, kNow), "forged");
  for (const char* body : {"", "[]", "42", "null", "{", "{\"sub\":1,\"exp\":99999999999}}",
                           "{\"sub\":1,\"exp\":99999999999,\"name\":\"\xff\"}"}) {
    ExpectRefused(TokenError::kInvalid, verifier_->Verify(HmacToken(kSecret, body), kNow), body);
  }
}

TEST_F(TokenVerifierTest, TakesRsaAndEcKeysFromOneFile) {
  const TestKey rsa = TestKey::Rsa();
  const TestKey other_rsa = TestKey::Rsa();
  const TestKey ec = TestKey::Ec();
  const TestKey other_ec = TestKey::Ec();
  const std::string claims = R"({"sub":5,"exp":)" + At(60) + "}";
  TokenVerifier::Options options;
  options.public_keys_pem = "comments are fine\n" + rsa.PublicPem() + other_ec.PublicPem() +
                            ec.PublicPem() + other_rsa.PublicPem();
  verifier_ = Make(options);
  for (const TestKey* key : {&rsa, &other_rsa, &ec, &other_ec}) {
    const auto verdict = verifier_->Verify(key->Token(claims), kNow);
    ASSERT_TRUE(std::holds_alternative<Identity>(verdict))
        << std::get<TokenRefusal>(verdict).reason;
    EXPECT_EQ(std::get<Identity>(verdict).user, 5);
  }
  ExpectRefused(TokenError::kInvalid, verifier_->Verify(TestKey::Rsa().Token(claims), kNow), "rsa");
  ExpectRefused(TokenError::kInvalid, verifier_->Verify(TestKey::Ec().Token(claims), kNow), "ec");
  // The old trick: the public key, which everybody has, as an HMAC secret.
  for (const std::string& pem : {rsa.PublicPem(), options.public_keys_pem}) {
    ExpectRefused(TokenError::kInvalid, verifier_->Verify(HmacToken(pem, claims), kNow),
                  "confused");
  }
  ExpectRefused(TokenError::kInvalid, verifier_->Verify(HmacToken(kSecret, claims), kNow), "hmac");
}

// The examples of RFC 7515, appendices A.1 and A.3: signed by somebody else than this test. They
// speak of no user, which is looked at only once the signature is found to be good.
TEST(TokenVerifierRfcTest, AgreesWithTheStandardsExamples) {
  const std::string claims =
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ";
  const std::string hs256 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + claims +
                            ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const std::string es256 =
      "eyJhbGciOiJFUzI1NiJ9." + claims +
      ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
      "KTUJqPP3-Kg6NU1Q";
  TokenVerifier::Options options;
  options.secrets.emplace_back();
  ASSERT_TRUE(absl::WebSafeBase64Unescape(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
      &options.secrets.back()));
  options.public_keys_pem =
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
      "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
      "-----END PUBLIC KEY-----\n";
  const auto verifier = Make(std::move(options));
  for (const std::string& token : {hs256, es256}) {
    EXPECT_EQ(std::get<TokenRefusal>(verifier->Verify(token, kNow)).reason, "no user id");
    std::string other = token;
    other[other.size() - 10] ^= 1;
    EXPECT_EQ(std::get<TokenRefusal>(verifier->Verify(other, kNow)).reason, "signature");
  }
}

TEST(TokenVerifierCreateTest, SaysWhatIsWrongWithTheKeys) {
  const auto fault = [](TokenVerifier::Options options) {
    const auto verifier = TokenVerifier::Create(std::move(options));
    return verifier.ok() ? "fine" : std::string(verifier.status().message());
  };
  const auto pem_fault = [&](const std::string& pem) {
    TokenVerifier::Options options;
    options.public_keys_pem = pem;
    return fault(std::move(options));
  };
  EXPECT_THAT(fault({}), HasSubstr("neither a secret nor a public key"));
  TokenVerifier::Options short_secret;
  short_secret.secrets = {"a-secret-too-short"};
  EXPECT_THAT(fault(short_secret), HasSubstr("less than 32 bytes"));
  EXPECT_THAT(fault(short_secret), ::testing::Not(HasSubstr("too-short")));

  const std::string good = TestKey::Ec().PublicPem();
  EXPECT_EQ(pem_fault(good), "fine");
  EXPECT_THAT(pem_fault("nothing in here"), HasSubstr("no public key"));
  EXPECT_THAT(pem_fault(TestKey::Rsa(1024).PublicPem()), HasSubstr("2048 bits"));
  EXPECT_THAT(pem_fault(TestKey::Ec("P-384").PublicPem()), HasSubstr("P-256"));
  EXPECT_THAT(pem_fault(good + TestKey::Ec().PrivatePem()), HasSubstr("PRIVATE KEY"));
  // A damaged second key must not be passed over.
  std::string damaged = TestKey::Ec().PublicPem();
  damaged[damaged.size() / 2] = '!';
  EXPECT_NE(pem_fault(good + damaged), "fine");
}

}  // namespace
}  // namespace msab
