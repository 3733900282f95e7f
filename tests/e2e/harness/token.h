#ifndef MSAB_TESTS_E2E_HARNESS_TOKEN_H_
#define MSAB_TESTS_E2E_HARNESS_TOKEN_H_

#include <cstdint>
#include <string>

namespace msab::e2e {

// Seconds since 1970: what a token's times are counted in.
int64_t NowSeconds();

// The same as a google.protobuf.Timestamp in JSON: "2026-01-01T00:00:00Z".
std::string Rfc3339(int64_t seconds);

// A JWT with these claims (a JSON object), signed with `key`: a secret for HS*, a PEM private key
// for RS* and ES*.
std::string SignToken(const std::string& algorithm, const std::string& key,
                      const std::string& claims);

// HS256 under kJwtSecret.
std::string SignToken(const std::string& claims);

// The usual token: this user, named "User <id>", valid for an hour.
std::string UserToken(int64_t user);

// A token put together by hand, for those that no library makes: header and claims as given,
// `signature` raw bytes.
std::string AssembleToken(const std::string& header, const std::string& claims,
                          const std::string& signature);

// HMAC-SHA256 of the first two parts, for AssembleToken.
std::string HmacSha256(const std::string& key, const std::string& text);

std::string Base64Url(const std::string& bytes);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_TOKEN_H_
