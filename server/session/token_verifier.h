#ifndef MSAB_SESSION_TOKEN_VERIFIER_H_
#define MSAB_SESSION_TOKEN_VERIFIER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "server/contract/audience.h"

namespace msab {

// Whom a token speaks for.
struct Identity {
  UserId user = 0;
  // What others may see of the user, one JSON object: {"id":42,"name":"…","avatar":…|null} and
  // then the other allowed claims that the token carries.
  std::string profile;
  int64_t expires_at = 0;  // wall ms; from this instant on the token counts no more
};

enum class TokenError {
  kMissing,  // no token at all
  kInvalid,  // malformed, not signed by a key of ours, not for us, or without what it must have
  kExpired,  // was good once: renew and come back
};

struct TokenRefusal {
  TokenError error;
  std::string_view reason;  // a literal, for logs and counters; never part of the token
};

// Decides whether a JWT (JWS compact form) was issued by Laravel for this relay: HS256 with any of
// the configured secrets, RS256 and ES256 with any of the public keys. The header's `alg` only
// chooses among keys of its own kind, so a public key is never tried as a secret and `none` has no
// keys at all.
//
// Immutable after Create. Owned by the composition root. Any thread.
class TokenVerifier {
 public:
  struct Options {
    std::vector<std::string> secrets;  // newest first; at least 32 bytes each
    std::string public_keys_pem;       // any number of "PUBLIC KEY" or "CERTIFICATE" blocks
    std::string audience;              // empty: `aud` is not looked at
    int64_t max_token_age = 0;         // ms; for tokens that have `iat` but no `exp`
    std::vector<std::string> profile_claims;
  };

  // Longer tokens are refused unread: a request head has 8 KiB in all.
  static constexpr size_t kMaxTokenBytes = 8192;
  static constexpr size_t kMinSecretBytes = 32;
  // How far the issuer's clock may be ahead, for `nbf` and `iat`. `exp` has no leeway.
  static constexpr int64_t kLeewayMillis = 30'000;

  // INVALID_ARGUMENT: neither secret nor key, a short secret, or a PEM block that is no RSA (2048
  // bits and more) or P-256 public key. The message never shows a secret.
  static absl::StatusOr<std::unique_ptr<const TokenVerifier>> Create(Options options);
  ~TokenVerifier();

  // `now` is wall ms. `token` may be any bytes.
  std::variant<Identity, TokenRefusal> Verify(std::string_view token, int64_t now) const;

 private:
  struct Impl;
  explicit TokenVerifier(std::unique_ptr<const Impl> impl);
  const std::unique_ptr<const Impl> impl_;
};

}  // namespace msab

#endif  // MSAB_SESSION_TOKEN_VERIFIER_H_
