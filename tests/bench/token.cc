#include "tests/bench/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <ctime>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace msab::bench {

std::string MintToken(int64_t user) {
  const std::string claims = absl::StrCat(
      R"({"sub":")", user, R"(","exp":)", std::time(nullptr) + 86'400, R"(,"name":"User )", user,
      R"(","avatar":"https://cdn.example.com/avatars/2026/)", user,
      R"(/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c.webp",)",
      R"("signature":"Sings Fridays",)",
      R"("frame_id":1207,"chat_bubble_id":318,"gender":"female","country":"EG",)",
      R"("vip_level":7,"wealth_xp":"184467440737","charm_xp":"9223372036"})");
  const std::string body = absl::StrCat(absl::WebSafeBase64Escape(R"({"alg":"HS256","typ":"JWT"})"),
                                        ".", absl::WebSafeBase64Escape(claims));
  constexpr std::string_view kSecret = kJwtSecret;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size);
  return absl::StrCat(
      body, ".",
      absl::WebSafeBase64Escape(std::string(reinterpret_cast<const char*>(digest.data()), size)));
}

}  // namespace msab::bench
