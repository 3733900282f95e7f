#ifndef MSAB_DEMO_DEMO_TOKEN_H_
#define MSAB_DEMO_DEMO_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace msab {

// What a demo user's token says.
struct DemoClaims {
  int64_t user = 0;           // `sub`
  std::string_view name;      // UTF-8
  std::string_view audience;  // `aud`; empty: none
  int64_t issued_at = 0;      // seconds since 1970
  int64_t expires_at = 0;     // seconds since 1970
};

// A token as Laravel would issue it: a JWT in JWS compact form, signed with HS256 (RFC 7515,
// RFC 7518 §3.2). Development only: the relay verifies tokens and never issues any, save those of
// its demo page. Any thread.
std::string MintDemoToken(const DemoClaims& claims, std::string_view secret);

}  // namespace msab

#endif  // MSAB_DEMO_DEMO_TOKEN_H_
