// Whose word the relay takes: every rule about tokens.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/key_material.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

constexpr int kRefused = 4500;
constexpr int kExpired = 4001;
constexpr char kOldSecret[] = "e2e-old-secret-0123456789-0123456789-xyz";

class TokenTest : public RelayTest {
 protected:
  // The user a token lets in, or the close code.
  int64_t Enter(const std::string& token) {
    Client client = Open({.token = token});
    const std::optional<std::string> first = client.socket().Receive();
    if (first.has_value()) return Number(At(ParseJson(*first), "data"), "userId");
    return client.socket().close_code();
  }

  // The same for claims under the current secret.
  int64_t EnterWith(const std::string& claims) { return Enter(SignToken(claims)); }

  static std::string Soon() { return absl::StrCat(R"("exp":)", NowSeconds() + 600); }
};

TEST_F(TokenTest, TheUserIsSubElseIdAsNumberOrDigits) {
  EXPECT_EQ(EnterWith(R"({"sub":"7",)" + Soon() + "}"), 7);
  EXPECT_EQ(EnterWith(R"({"sub":7,)" + Soon() + "}"), 7);
  EXPECT_EQ(EnterWith(R"({"id":8,)" + Soon() + "}"), 8);
  EXPECT_EQ(EnterWith(R"({"id":"8",)" + Soon() + "}"), 8);
  EXPECT_EQ(EnterWith(R"({"sub":"7","id":8,)" + Soon() + "}"), 7);
  EXPECT_EQ(EnterWith(R"({"sub":null,"id":8,)" + Soon() + "}"), 8);
  EXPECT_EQ(EnterWith(R"({"sub":"9007199254740991",)" + Soon() + "}"), 9007199254740991);
}

TEST_F(TokenTest, WithoutAUserNobodyIsLetIn) {
  for (const std::string user :
       {"", R"("sub":"",)", R"("sub":"ann",)", R"("sub":0,)", R"("sub":-1,)", R"("sub":"-1",)",
        R"("sub":1.5,)", R"("sub":"9007199254740992",)", R"("sub":"99999999999999999999999",)",
        R"("sub":" 7",)", R"("sub":"+7",)", R"("sub":true,)", R"("sub":[7],)"}) {
    EXPECT_EQ(EnterWith("{" + user + Soon() + "}"), kRefused) << user;
  }
}

TEST_F(TokenTest, TheEndIsExpElseTheAge) {
  const int64_t now = NowSeconds();
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","exp":)", now - 1, "}")), kExpired);
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","iat":)", now, "}")), 7);
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","iat":)", now - 25 * 3'600, "}")), kExpired);
  EXPECT_EQ(EnterWith(R"({"sub":"7"})"), kRefused);
  // An end beats the age.
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","iat":)", now - 48 * 3'600, R"(,"exp":)", now + 60,
                                   "}")),
            7);
}

TEST_F(TokenTest, TheAgeIsASetting) {
  Start({.settings = {{"auth.max_token_age", "1h"}}});
  const int64_t now = NowSeconds();
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","iat":)", now - 3'700, "}")), kExpired);
  Client client = Open({.token = SignToken(absl::StrCat(R"({"sub":"7","iat":)", now - 60, "}"))});
  EXPECT_EQ(Number(client.Welcome(), "tokenExpiresAt"), (now - 60 + 3'600) * 1'000);
}

TEST_F(TokenTest, TheBeginningHas30SecondsOfLeeway) {
  const int64_t now = NowSeconds();
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","nbf":)", now + 20, ",", Soon(), "}")), 7);
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","nbf":)", now + 60, ",", Soon(), "}")), kRefused);
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","iat":)", now + 20, ",", Soon(), "}")), 7);
  EXPECT_EQ(EnterWith(absl::StrCat(R"({"sub":"7","iat":)", now + 60, ",", Soon(), "}")), kRefused);
}

TEST_F(TokenTest, UnknownClaimsAndNullsAreFine) {
  EXPECT_EQ(EnterWith(R"({"sub":"7","name":null,"gender":null,"x":{"y":[1]},"email":"a@b.c",)" +
                      Soon() + "}"),
            7);
}

TEST_F(TokenTest, TheAudienceIsCheckedWhereOneIsSet) {
  EXPECT_EQ(EnterWith(R"({"sub":"7","aud":"anything",)" + Soon() + "}"), 7);
  Start({.settings = {{"auth.audience", "relay"}}});
  EXPECT_EQ(EnterWith(R"({"sub":"7","aud":"relay",)" + Soon() + "}"), 7);
  EXPECT_EQ(EnterWith(R"({"sub":"7","aud":["app","relay"],)" + Soon() + "}"), 7);
  EXPECT_EQ(EnterWith(R"({"sub":"7","aud":"app",)" + Soon() + "}"), kRefused);
  EXPECT_EQ(EnterWith(R"({"sub":"7","aud":["app"],)" + Soon() + "}"), kRefused);
  EXPECT_EQ(EnterWith(R"({"sub":"7",)" + Soon() + "}"), kRefused);
}

TEST_F(TokenTest, EverySecretOfTheRotationCounts) {
  Start({.settings = {{"auth.jwt_secrets", absl::StrCat(kJwtSecret, ",", kOldSecret)}}});
  const std::string claims = R"({"sub":"7",)" + Soon() + "}";
  EXPECT_EQ(Enter(SignToken("HS256", kJwtSecret, claims)), 7);
  EXPECT_EQ(Enter(SignToken("HS256", kOldSecret, claims)), 7);
  EXPECT_EQ(Enter(SignToken("HS256", "another-secret-0123456789-0123456789", claims)), kRefused);
}

TEST_F(TokenTest, PublicKeysFromPem) {
  const KeyPair rsa = NewRsaKey();
  const KeyPair ec = NewEcKey();
  const KeyPair stranger = NewRsaKey();
  Start({.files = {{"auth.jwt_keys_file", rsa.public_pem + ec.public_pem}}});
  const std::string claims = R"({"sub":"7",)" + Soon() + "}";
  EXPECT_EQ(Enter(SignToken("RS256", rsa.private_pem, claims)), 7);
  EXPECT_EQ(Enter(SignToken("ES256", ec.private_pem, claims)), 7);
  EXPECT_EQ(Enter(SignToken("HS256", kJwtSecret, claims)), 7) << "secrets count beside the keys";
  EXPECT_EQ(Enter(SignToken("RS256", stranger.private_pem, claims)), kRefused);
  EXPECT_EQ(Enter(SignToken("ES256", NewEcKey().private_pem, claims)), kRefused);
  EXPECT_EQ(Enter(SignToken("RS512", rsa.private_pem, claims)), kRefused);
  // A public key is no secret: a token signed with its text as an HMAC key must not pass.
  EXPECT_EQ(Enter(SignToken("HS256", rsa.public_pem, claims)), kRefused);
}

TEST_F(TokenTest, KeysAloneAreEnough) {
  const KeyPair rsa = NewRsaKey();
  Start(
      {.settings = {{"auth.jwt_secrets", ""}}, .files = {{"auth.jwt_keys_file", rsa.public_pem}}});
  const std::string claims = R"({"sub":"7",)" + Soon() + "}";
  EXPECT_EQ(Enter(SignToken("RS256", rsa.private_pem, claims)), 7);
  EXPECT_EQ(Enter(SignToken("HS256", kJwtSecret, claims)), kRefused);
}

TEST_F(TokenTest, NoneNeverPassesNorAnyOtherAlgorithm) {
  const std::string claims = R"({"sub":"7",)" + Soon() + "}";
  for (const std::string alg : {"none", "None", "NONE", "nOnE", "", "HS1", "RS256"}) {
    EXPECT_EQ(
        Enter(AssembleToken(absl::StrCat(R"({"alg":")", alg, R"(","typ":"JWT"})"), claims, "")),
        kRefused)
        << alg;
  }
  EXPECT_EQ(Enter(AssembleToken(R"({"typ":"JWT"})", claims, "")), kRefused);
  EXPECT_EQ(Enter(SignToken("HS384", kJwtSecret, claims)), kRefused);
  EXPECT_EQ(Enter(SignToken("HS512", kJwtSecret, claims)), kRefused);
}

TEST_F(TokenTest, WhatIsBrokenOrTamperedWithIsRefused) {
  const std::string good = SignToken(R"({"sub":"7",)" + Soon() + "}");
  ASSERT_EQ(Enter(good), 7);
  const size_t first = good.find('.');
  const size_t second = good.rfind('.');
  std::string tampered = good;
  tampered[second + 5] = tampered[second + 5] == 'A' ? 'B' : 'A';
  const std::string other_claims = Base64Url(R"({"sub":"8",)" + Soon() + "}");
  for (const std::string& token :
       {tampered, good.substr(0, second), good.substr(0, second + 1), good.substr(first),
        good + ".x", good + "A",
        absl::StrCat(good.substr(0, first + 1), other_claims, good.substr(second)),
        std::string("..."), std::string("a.b.c"), std::string("{}.{}.{}"), std::string(4'000, 'a'),
        std::string(2'000, '.')}) {
    EXPECT_EQ(Enter(token), kRefused) << token.substr(0, 80);
  }
}

TEST_F(TokenTest, ARightSignatureDoesNotExcuseClaimsThatAreNone) {
  for (const std::string& claims :
       {std::string("[]"), std::string("7"), std::string("{"), std::string(""),
        std::string(R"({"sub":"7","exp":"soon"})"), std::string(R"({"sub":"7","exp":null})"),
        std::string("\xff\xfe")}) {
    const std::string head = absl::StrCat(Base64Url(R"({"alg":"HS256"})"), ".", Base64Url(claims));
    EXPECT_EQ(Enter(absl::StrCat(head, ".", Base64Url(HmacSha256(kJwtSecret, head)))), kRefused)
        << claims;
  }
}

TEST_F(TokenTest, OthersSeeTheAllowedClaimsOnly) {
  Client watcher = Connect(101, {"42"});
  const std::string token = SignToken(
      R"({"sub":"7","name":"Ann","avatar":"a.png","vip_level":3,"country":"DE","gender":null,)"
      R"("email":"ann@example.org","phone":"123","exp":)" +
      std::to_string(NowSeconds() + 600) + "}");
  Client ann = Open({.token = token, .rooms = {"42"}});
  ann.Welcome();
  const Json joined = watcher.Expect("room:userJoined");
  EXPECT_EQ(At(At(joined, "data"), "user"),
            ParseJson(R"({"id":7,"name":"Ann","avatar":"a.png","vip_level":3,"country":"DE"})"));
}

TEST_F(TokenTest, TheAllowedClaimsAreASetting) {
  Start({.settings = {{"auth.profile_claims", "name,team"}}});
  Client watcher = Connect(101, {"42"});
  Client ann =
      Open({.token = SignToken(R"({"sub":"7","name":"Ann","avatar":"a.png","team":"red",)" +
                               Soon() + "}"),
            .rooms = {"42"}});
  ann.Welcome();
  EXPECT_EQ(At(At(watcher.Expect("room:userJoined"), "data"), "user"),
            ParseJson(R"({"id":7,"name":"Ann","avatar":null,"team":"red"})"));
}

}  // namespace
}  // namespace msab::e2e
