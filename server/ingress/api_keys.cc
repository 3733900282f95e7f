#include "server/ingress/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

namespace msab {
namespace {

constexpr std::string_view kScheme = "bearer ";

std::array<uint8_t, 32> Sha256(std::string_view text) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest.data());
  return digest;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

ApiKeys::ApiKeys(const std::vector<ApiKeySetting>& settings) {
  known_.reserve(settings.size());
  for (const ApiKeySetting& setting : settings) {
    known_.push_back({Sha256(setting.key), {setting.name, setting.emit, setting.admin}});
  }
}

const ApiClient* ApiKeys::Find(std::string_view key) const {
  const Digest shown = Sha256(key);
  const ApiClient* found = nullptr;
  for (const Known& known : known_) {
    const bool same = CRYPTO_memcmp(known.digest.data(), shown.data(), shown.size()) == 0;
    found = same ? &known.client : found;
  }
  return found;
}

const ApiClient* ApiKeys::FindBearer(std::string_view authorization) const {
  if (authorization.size() <= kScheme.size() ||
      !std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                  [](char a, char b) { return a == Lower(b); })) {
    return nullptr;
  }
  std::string_view key = authorization.substr(kScheme.size());
  key.remove_prefix(std::min(key.find_first_not_of(' '), key.size()));
  while (!key.empty() && key.back() == ' ') key.remove_suffix(1);
  return key.empty() ? nullptr : Find(key);
}

}  // namespace msab
