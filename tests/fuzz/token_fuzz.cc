// Tokens as a stranger, or a careless issuer, might send them.
//
// The first byte says what the rest is: a whole token (which nobody of ours signed, and so must be
// refused); a header, a newline and claims, signed with a secret of ours, so that what comes after
// the signature is reached; or claims alone below a good header.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "boost/json/parse.hpp"
#include "server/session/token_verifier.h"
#include "tests/support/token_maker.h"

namespace {

constexpr int64_t kNow = 1'767'225'600'000;
constexpr char kSecret[] = "a-secret-that-is-known-to-this-test-only";

const msab::TokenVerifier& Verifier() {
  static const auto* const verifier = [] {
    msab::TokenVerifier::Options options;
    options.secrets = {kSecret, "another-secret-that-is-tried-after-it"};
    options.public_keys_pem = msab::TestKey::Rsa().PublicPem() + msab::TestKey::Ec().PublicPem();
    options.max_token_age = 3'600'000;
    options.profile_claims = {"name", "avatar", "gender", "vip_level"};
    auto created = msab::TokenVerifier::Create(std::move(options));
    if (!created.ok()) std::abort();
    return created->release();
  }();
  return *verifier;
}

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

void CheckIdentity(const msab::Identity& identity) {
  Require(identity.user >= 1 && identity.user <= msab::kMaxUserId, "a user id in range");
  Require(identity.expires_at > kNow, "not expired");
  const boost::json::object profile = boost::json::parse(identity.profile).as_object();
  Require(profile.at("id").to_number<int64_t>() == identity.user, "the profile is the user's");
  Require(profile.at("name").is_string(), "a name that is a string");
  Require(profile.at("avatar").is_string() || profile.at("avatar").is_null(), "a fit avatar");
  Require(profile.size() <= 5, "no claim beyond those allowed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool whole = data[0] % 3 == 0;
  std::string token(rest);
  if (data[0] % 3 == 1) {
    const size_t newline = std::min(rest.find('\n'), rest.size());
    token = msab::HmacToken(kSecret, std::string(rest.substr(std::min(newline + 1, rest.size()))),
                            std::string(rest.substr(0, newline)));
  } else if (data[0] % 3 == 2) {
    token = msab::HmacToken(kSecret, std::string(rest));
  }
  const auto verdict = Verifier().Verify(token, kNow);
  if (const auto* identity = std::get_if<msab::Identity>(&verdict)) {
    Require(!whole, "nobody else's token passes");
    CheckIdentity(*identity);
  } else {
    Require(!std::get<msab::TokenRefusal>(verdict).reason.empty(), "a refusal has a reason");
  }
  return 0;
}
