#include "server/session/token_verifier.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "boost/json/value.hpp"
#include "server/contract/json_parse.h"
#include "server/contract/participant.h"

namespace msab {
namespace {

namespace json = boost::json;

// The last instant that JSON readers keep exact, in ms.
constexpr int64_t kForever = (int64_t{1} << 53) - 1;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using EcSignaturePtr = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;

// The algorithms that are spoken, by their names in a header (RFC 7518, 3.1).
constexpr std::string_view kHs256 = "HS256";
constexpr std::string_view kRs256 = "RS256";
constexpr std::string_view kEs256 = "ES256";

// A key to try, for tokens of its algorithm only.
struct Key {
  std::string_view alg;
  std::string secret;  // kHs256
  PkeyPtr pkey;        // the others
};

TokenRefusal Invalid(std::string_view reason) { return {TokenError::kInvalid, reason}; }

std::optional<std::string> DecodeBase64(std::string_view part) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape({part.data(), part.size()}, &bytes)) return std::nullopt;
  return bytes;
}

// The JSON object that a part of a token holds; nothing if it holds none.
std::optional<json::object> DecodePart(std::string_view part) {
  const auto text = DecodeBase64(part);
  if (!text) return std::nullopt;
  json::error_code error;
  json::value value = ParseJson(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

// A claim that is there and not null.
const json::value* Find(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

// A NumericDate (seconds, maybe with a fraction) in ms, within 0 and kForever.
std::optional<int64_t> ToMillis(const json::value& value) {
  double seconds = 0;
  if (value.is_int64()) {
    seconds = static_cast<double>(value.get_int64());
  } else if (value.is_uint64()) {
    seconds = static_cast<double>(value.get_uint64());
  } else if (value.is_double()) {
    seconds = value.get_double();
  } else {
    return std::nullopt;
  }
  const double millis = std::floor(seconds * 1000);
  if (!(millis > 0)) return 0;
  return millis < static_cast<double>(kForever) ? static_cast<int64_t>(millis) : kForever;
}

// A number, or a string of digits, from 1 to kMaxUserId; else 0.
UserId ToUserId(const json::value& value) {
  if (value.is_int64()) {
    const int64_t id = value.get_int64();
    return id >= 1 && id <= kMaxUserId ? id : 0;
  }
  if (!value.is_string()) return 0;
  UserId id = 0;
  for (const char c : value.get_string()) {
    if (c < '0' || c > '9') return 0;
    id = id * 10 + (c - '0');
    if (id > kMaxUserId) return 0;
  }
  return id;
}

bool NamesAudience(const json::value& aud, std::string_view audience) {
  const auto is = [audience](const json::value& value) {
    return value.is_string() && std::string_view(value.get_string()) == audience;
  };
  if (!aud.is_array()) return is(aud);
  return std::any_of(aud.get_array().begin(), aud.get_array().end(), is);
}

// Three parts of base64url without padding, as JWS's compact form has them.
bool LooksLikeToken(std::string_view token) {
  int dots = 0;
  for (const char c : token) {
    if (c == '.') {
      ++dots;
    } else if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                 c == '-' || c == '_')) {
      return false;
    }
  }
  return dots == 2;
}

bool HmacFits(const Key& key, std::string_view text, const std::string& signature) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const bool made =
      HMAC(EVP_sha256(), key.secret.data(), static_cast<int>(key.secret.size()),
           reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest, &size) != nullptr;
  return made && signature.size() == size && CRYPTO_memcmp(digest, signature.data(), size) == 0;
}

// JWS has an EC signature's r and s side by side, 32 bytes each; OpenSSL wants them in DER.
std::string EcSignatureToDer(const std::string& raw) {
  constexpr int kHalf = 32;
  if (raw.size() != 2 * kHalf) return {};
  const auto* bytes = reinterpret_cast<const uint8_t*>(raw.data());
  const EcSignaturePtr signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes, kHalf, nullptr);
  BIGNUM* s = BN_bin2bn(bytes + kHalf, kHalf, nullptr);
  ECDSA_SIG_set0(signature.get(), r, s);  // which then owns both
  uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(der);
  return out;
}

// True if the holder of `key` signed `text`.
bool Fits(const Key& key, std::string_view text, const std::string& signature) {
  if (key.alg == kHs256) return HmacFits(key, text, signature);
  const std::string der = key.alg == kEs256 ? EcSignatureToDer(signature) : signature;
  const DigestPtr digest(EVP_MD_CTX_new());
  const bool fits =
      EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.pkey.get()) == 1 &&
      EVP_DigestVerify(digest.get(), reinterpret_cast<const uint8_t*>(der.data()), der.size(),
                       reinterpret_cast<const uint8_t*>(text.data()), text.size()) == 1;
  // Else the reason of a refusal stays behind on this thread for whoever uses OpenSSL next.
  if (!fits) ERR_clear_error();
  return fits;
}

absl::StatusOr<Key> ToKey(PkeyPtr pkey) {
  if (EVP_PKEY_base_id(pkey.get()) == EVP_PKEY_RSA) {
    if (EVP_PKEY_bits(pkey.get()) < 2048) {
      return absl::InvalidArgumentError("an RSA key has less than 2048 bits");
    }
    return Key{kRs256, {}, std::move(pkey)};
  }
  if (EVP_PKEY_base_id(pkey.get()) == EVP_PKEY_EC) {
    char group[80];
    size_t length = 0;
    if (EVP_PKEY_get_group_name(pkey.get(), group, sizeof(group), &length) != 1 ||
        std::string_view(group, length) != SN_X9_62_prime256v1) {
      return absl::InvalidArgumentError("an EC key is not on the curve P-256");
    }
    return Key{kEs256, {}, std::move(pkey)};
  }
  return absl::InvalidArgumentError("a key is neither RSA nor EC");
}

absl::StatusOr<std::vector<Key>> ReadPublicKeys(const std::string& pem) {
  std::vector<Key> keys;
  ERR_clear_error();
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  uint8_t* data = nullptr;
  long size = 0;  // NOLINT(google-runtime-int): OpenSSL's own type
  while (PEM_read_bio(in.get(), &name, &header, &data, &size) == 1) {
    const std::string kind = name;
    const uint8_t* cursor = data;
    PkeyPtr pkey;
    if (kind == "PUBLIC KEY") {
      pkey.reset(d2i_PUBKEY(nullptr, &cursor, size));
    } else if (kind == "CERTIFICATE") {
      const X509Ptr certificate(d2i_X509(nullptr, &cursor, size));
      if (certificate) pkey.reset(X509_get_pubkey(certificate.get()));
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (!pkey) {
      return absl::InvalidArgumentError(fmt::format(
          "a block \"{}\" is not a \"PUBLIC KEY\" or \"CERTIFICATE\" that can be read", kind));
    }
    absl::StatusOr<Key> key = ToKey(std::move(pkey));
    if (!key.ok()) return key.status();
    keys.push_back(*std::move(key));
  }
  // "No start line" is how the reader says that there are no more.
  const bool broken = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (broken) return absl::InvalidArgumentError("a block is not PEM");
  if (keys.empty()) return absl::InvalidArgumentError("no public key in PEM form");
  return keys;
}

}  // namespace

struct TokenVerifier::Impl {
  Options options;
  std::vector<Key> keys;

  // "" if a key of ours signed `token`, else why not.
  std::string_view CheckSignature(std::string_view token) const {
    const auto header = DecodePart(token.substr(0, token.find('.')));
    if (!header) return "malformed header";
    const json::value* alg = Find(*header, "alg");
    if (alg == nullptr || !alg->is_string()) return "no alg";
    // Extensions that must be understood: we know none (RFC 7515, 4.1.11).
    if (header->contains("crit")) return "critical extension";
    const std::string_view wanted = alg->get_string();
    const size_t dot = token.rfind('.');
    const auto signature = DecodeBase64(token.substr(dot + 1));
    if (!signature) return "malformed signature";
    bool tried = false;
    for (const Key& key : keys) {
      if (key.alg != wanted) continue;
      tried = true;
      if (Fits(key, token.substr(0, dot), *signature)) return {};
    }
    return tried ? "signature" : "no key for its alg";
  }

  std::string Profile(UserId user, const json::object& claims) const {
    json::object allowed;
    for (const std::string& claim : options.profile_claims) {
      if (const json::value* value = Find(claims, claim)) allowed[claim] = *value;
    }
    return ParticipantJson(user, allowed);
  }

  std::variant<Identity, TokenRefusal> Judge(const json::object& claims, int64_t now) const {
    const json::value* subject = Find(claims, "sub");
    if (subject == nullptr) subject = Find(claims, "id");
    if (subject == nullptr) return Invalid("no user id");
    const UserId user = ToUserId(*subject);
    if (user == 0) return Invalid("user id");

    if (!options.audience.empty()) {
      const json::value* aud = Find(claims, "aud");
      if (aud == nullptr || !NamesAudience(*aud, options.audience)) return Invalid("audience");
    }
    std::optional<int64_t> issued;
    for (const std::string_view claim : {"nbf", "iat"}) {
      const json::value* value = Find(claims, claim);
      if (value == nullptr) continue;
      const auto from = ToMillis(*value);
      if (!from) return Invalid("a time that is no number");
      if (*from > now + kLeewayMillis) return Invalid("not valid yet");
      if (claim == "iat") issued = from;
    }
    int64_t expires_at = 0;
    if (const json::value* exp = Find(claims, "exp")) {
      const auto until = ToMillis(*exp);
      if (!until) return Invalid("a time that is no number");
      expires_at = *until;
    } else if (issued) {
      expires_at = *issued + options.max_token_age;
    } else {
      return Invalid("neither exp nor iat");
    }
    if (expires_at <= now) return TokenRefusal{TokenError::kExpired, "expired"};
    return Identity{user, Profile(user, claims), expires_at};
  }
};

TokenVerifier::TokenVerifier(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
TokenVerifier::~TokenVerifier() = default;

absl::StatusOr<std::unique_ptr<const TokenVerifier>> TokenVerifier::Create(Options options) {
  auto impl = std::make_unique<Impl>();
  for (const std::string& secret : options.secrets) {
    if (secret.size() < kMinSecretBytes) {
      return absl::InvalidArgumentError(
          fmt::format("a secret has less than {} bytes", kMinSecretBytes));
    }
    impl->keys.push_back({kHs256, secret, nullptr});
  }
  if (!options.public_keys_pem.empty()) {
    absl::StatusOr<std::vector<Key>> keys = ReadPublicKeys(options.public_keys_pem);
    if (!keys.ok()) return keys.status();
    std::move(keys->begin(), keys->end(), std::back_inserter(impl->keys));
  }
  if (impl->keys.empty()) return absl::InvalidArgumentError("neither a secret nor a public key");
  impl->options = std::move(options);
  return std::unique_ptr<const TokenVerifier>(new TokenVerifier(std::move(impl)));
}

std::variant<Identity, TokenRefusal> TokenVerifier::Verify(std::string_view token,
                                                           int64_t now) const {
  if (token.empty()) return TokenRefusal{TokenError::kMissing, "no token"};
  if (token.size() > kMaxTokenBytes) return Invalid("too long");
  if (!LooksLikeToken(token)) return Invalid("malformed");
  const std::string_view fault = impl_->CheckSignature(token);
  if (!fault.empty()) return Invalid(fault);
  const size_t begin = token.find('.') + 1;
  const auto claims = DecodePart(token.substr(begin, token.rfind('.') - begin));
  if (!claims) return Invalid("malformed claims");
  return impl_->Judge(*claims, now);
}

}  // namespace msab
