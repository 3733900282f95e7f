#include "server/demo/demo_token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"

namespace msab {
namespace {

std::string Base64Url(absl::string_view bytes) {
  std::string out;
  absl::WebSafeBase64Escape(bytes, &out);
  return out;
}

}  // namespace

std::string MintDemoToken(const DemoClaims& claims, std::string_view secret) {
  boost::json::object payload{{"sub", absl::StrCat(claims.user)},
                              {"name", boost::json::string(claims.name)},
                              {"iat", claims.issued_at},
                              {"exp", claims.expires_at}};
  if (!claims.audience.empty()) payload["aud"] = boost::json::string(claims.audience);
  std::string token = absl::StrCat(Base64Url(R"({"alg":"HS256","typ":"JWT"})"), ".",
                                   Base64Url(boost::json::serialize(payload)));
  unsigned char signature[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), signature, &size);
  absl::StrAppend(&token, ".", Base64Url({reinterpret_cast<const char*>(signature), size_t{size}}));
  return token;
}

}  // namespace msab
