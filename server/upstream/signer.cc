#include "server/upstream/signer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace msab {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr size_t kMinBytes = 24;
constexpr size_t kMaxBytes = 64;

}  // namespace

absl::StatusOr<WebhookSigner> WebhookSigner::Create(const std::vector<std::string>& secrets) {
  std::vector<std::string> keys;
  for (const std::string& secret : secrets) {
    std::string key;
    if (!secret.starts_with(kPrefix) ||
        !absl::Base64Unescape(secret.substr(kPrefix.size()), &key) || key.size() < kMinBytes ||
        key.size() > kMaxBytes) {
      return absl::InvalidArgumentError("is not whsec_ and the base64 of 24 to 64 bytes");
    }
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return absl::InvalidArgumentError("a webhook needs a secret");
  return WebhookSigner(std::move(keys));
}

std::string WebhookSigner::Sign(std::string_view id, int64_t timestamp,
                                std::string_view body) const {
  const std::string text = absl::StrCat(absl::string_view(id.data(), id.size()), ".", timestamp,
                                        ".", absl::string_view(body.data(), body.size()));
  std::string signatures;
  for (const std::string& key : keys_) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    absl::StrAppend(
        &signatures, signatures.empty() ? "v1," : " v1,",
        absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest.data()), size)));
  }
  return signatures;
}

}  // namespace msab
