#include "server/session/token_verifier.h"

#include <fmt/format.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
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
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"

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
using JwtPtr = std::unique_ptr<jwt_t, Freer<jwt_free>>;

// A key to try, as libjwt takes it: the secret's bytes, or a "PUBLIC KEY" in PEM.
struct Key {
  jwt_alg_t alg;
  std::string material;
};

TokenRefusal Invalid(std::string_view reason) { return {TokenError::kInvalid, reason}; }

// The JSON object that a part of a token holds; nothing if it holds none.
std::optional<json::object> DecodePart(std::string_view part) {
  std::string text;
  if (!absl::WebSafeBase64Unescape({part.data(), part.size()}, &text)) return std::nullopt;
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
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

// Three parts of base64url, as JWS's compact form has them. What passes is a C string, too.
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

absl::StatusOr<Key> ToKey(EVP_PKEY* pkey) {
  jwt_alg_t alg = JWT_ALG_NONE;
  if (EVP_PKEY_base_id(pkey) == EVP_PKEY_RSA) {
    if (EVP_PKEY_bits(pkey) < 2048) {
      return absl::InvalidArgumentError("an RSA key has less than 2048 bits");
    }
    alg = JWT_ALG_RS256;
  } else if (EVP_PKEY_base_id(pkey) == EVP_PKEY_EC) {
    char group[80];
    size_t length = 0;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), &length) != 1 ||
        std::string_view(group, length) != SN_X9_62_prime256v1) {
      return absl::InvalidArgumentError("an EC key is not on the curve P-256");
    }
    alg = JWT_ALG_ES256;
  } else {
    return absl::InvalidArgumentError("a key is neither RSA nor EC");
  }
  const BioPtr out(BIO_new(BIO_s_mem()));
  char* data = nullptr;
  if (PEM_write_bio_PUBKEY(out.get(), pkey) != 1) return absl::InternalError("cannot write a key");
  const int64_t size = BIO_get_mem_data(out.get(), &data);
  return Key{alg, std::string(data, static_cast<size_t>(size))};
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
    absl::StatusOr<Key> key = ToKey(pkey.get());
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

  bool SignedBy(const std::string& token, const Key& key) const {
    jwt_t* raw = nullptr;
    const int failed =
        jwt_decode(&raw, token.c_str(), reinterpret_cast<const unsigned char*>(key.material.data()),
                   static_cast<int>(key.material.size()));
    const JwtPtr jwt(raw);
    return failed == 0 && jwt_get_alg(jwt.get()) == key.alg;
  }

  // "" if a key of ours signed it, else why not.
  std::string_view CheckSignature(const std::string& token) const {
    const auto header = DecodePart(std::string_view(token).substr(0, token.find('.')));
    if (!header) return "malformed header";
    const json::value* alg = Find(*header, "alg");
    if (alg == nullptr || !alg->is_string()) return "no alg";
    // Extensions that must be understood: we know none (RFC 7515, 4.1.11).
    if (header->contains("crit")) return "critical extension";
    const std::string_view name = alg->get_string();
    jwt_alg_t wanted = JWT_ALG_NONE;
    for (const jwt_alg_t known : {JWT_ALG_HS256, JWT_ALG_RS256, JWT_ALG_ES256}) {
      if (name == jwt_alg_str(known)) wanted = known;
    }
    bool tried = false;
    for (const Key& key : keys) {
      if (key.alg != wanted) continue;
      tried = true;
      if (SignedBy(token, key)) return {};
    }
    return tried ? "signature" : "no key for its alg";
  }

  std::string Profile(UserId user, const json::object& claims) const {
    json::object profile;
    profile["id"] = user;
    profile["name"] = "";
    profile["avatar"] = nullptr;
    for (const std::string& claim : options.profile_claims) {
      const json::value* value = Find(claims, claim);
      if (value == nullptr) continue;
      if ((claim == "name" || claim == "avatar") && !value->is_string()) {
        profile[claim] = json::serialize(*value);
      } else {
        profile[claim] = *value;
      }
    }
    return json::serialize(profile);
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
    impl->keys.push_back({JWT_ALG_HS256, secret});
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
  const std::string_view fault = impl_->CheckSignature(std::string(token));
  if (!fault.empty()) return Invalid(fault);
  const size_t begin = token.find('.') + 1;
  const auto claims = DecodePart(token.substr(begin, token.rfind('.') - begin));
  if (!claims) return Invalid("malformed claims");
  return impl_->Judge(*claims, now);
}

}  // namespace msab
