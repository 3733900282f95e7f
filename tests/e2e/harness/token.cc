#include "tests/e2e/harness/token.h"

#include <gtest/gtest.h>
#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "tests/e2e/harness/relay_process.h"

namespace msab::e2e {

int64_t NowSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string Rfc3339(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds),
                          absl::UTCTimeZone());
}

std::string SignToken(const std::string& algorithm, const std::string& key,
                      const std::string& claims) {
  jwt_t* jwt = nullptr;
  jwt_new(&jwt);
  const std::unique_ptr<jwt_t, decltype(&jwt_free)> owner(jwt, jwt_free);
  EXPECT_EQ(jwt_add_grants_json(jwt, claims.c_str()), 0) << claims;
  EXPECT_EQ(
      jwt_set_alg(jwt, jwt_str_alg(algorithm.c_str()),
                  reinterpret_cast<const unsigned char*>(key.data()), static_cast<int>(key.size())),
      0);
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(jwt), std::free);
  EXPECT_NE(text, nullptr) << algorithm;
  return text != nullptr ? std::string(text.get()) : std::string();
}

std::string SignToken(const std::string& claims) { return SignToken("HS256", kJwtSecret, claims); }

std::string UserToken(int64_t user) {
  const std::string id = std::to_string(user);
  return SignToken(R"({"sub":")" + id + R"(","name":"User )" + id + R"(","iat":)" +
                   std::to_string(NowSeconds()) + R"(,"exp":)" +
                   std::to_string(NowSeconds() + 3'600) + "}");
}

std::string Base64Url(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

std::string AssembleToken(const std::string& header, const std::string& claims,
                          const std::string& signature) {
  return Base64Url(header) + "." + Base64Url(claims) + "." + Base64Url(signature);
}

std::string HmacSha256(const std::string& key, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

}  // namespace msab::e2e
