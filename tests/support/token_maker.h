#ifndef MSAB_TESTS_SUPPORT_TOKEN_MAKER_H_
#define MSAB_TESTS_SUPPORT_TOKEN_MAKER_H_

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"

namespace msab {

// Makes JWTs as Laravel's packages do. Nothing in it is the relay's.
inline std::string Base64Url(std::string_view bytes) {
  std::string out;
  absl::WebSafeBase64Escape(std::string(bytes), &out);
  return out;
}

inline std::string HmacSha256(const std::string& key, const std::string& text) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

// A token of `claims` (JSON text), HMAC-signed whatever the header says its algorithm is.
inline std::string HmacToken(const std::string& secret, const std::string& claims,
                             const std::string& header = R"({"typ":"JWT","alg":"HS256"})") {
  const std::string text = Base64Url(header) + "." + Base64Url(claims);
  return text + "." + Base64Url(HmacSha256(secret, text));
}

// An asymmetric key of a test's own.
class TestKey {
 public:
  static TestKey Rsa(unsigned int bits = 2048) { return TestKey(EVP_RSA_gen(bits)); }
  static TestKey Ec(const char* curve = "P-256") { return TestKey(EVP_EC_gen(curve)); }

  std::string PublicPem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key_.get());
    return Take(bio);
  }
  std::string PrivatePem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return Take(bio);
  }

  // RS256 or ES256, as the key is.
  std::string Token(const std::string& claims) const {
    const bool ec = EVP_PKEY_base_id(key_.get()) == EVP_PKEY_EC;
    const std::string header = ec ? R"({"alg":"ES256"})" : R"({"alg":"RS256"})";
    const std::string text = Base64Url(header) + "." + Base64Url(claims);
    return text + "." + Base64Url(ec ? RawEcSignature(Sign(text)) : Sign(text));
  }

 private:
  explicit TestKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {}

  static std::string Take(BIO* bio) {
    char* data = nullptr;
    const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &data));
    std::string text(data, size);
    BIO_free(bio);
    return text;
  }

  std::string Sign(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    size_t size = 0;
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get());
    const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
    EVP_DigestSign(context, nullptr, &size, bytes, text.size());
    std::vector<uint8_t> signature(size);
    EVP_DigestSign(context, signature.data(), &size, bytes, text.size());
    EVP_MD_CTX_free(context);
    return {signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(size)};
  }

  // JWS wants r and s side by side, not OpenSSL's DER.
  static std::string RawEcSignature(const std::string& der) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(der.data());
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<int64_t>(der.size()));
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<uint8_t*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32);
    ECDSA_SIG_free(signature);
    return raw;
  }

  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace msab

#endif  // MSAB_TESTS_SUPPORT_TOKEN_MAKER_H_
