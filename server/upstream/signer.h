#ifndef MSAB_UPSTREAM_SIGNER_H_
#define MSAB_UPSTREAM_SIGNER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace msab {

// Signs messages as Standard Webhooks 1.0 has it: HMAC-SHA256 over `{id}.{timestamp}.{body}`, once
// for each secret, so that a receiver who knows any of them is content while secrets rotate.
// Immutable. Any thread.
class WebhookSigner {
 public:
  // Secrets as configured: `whsec_` and the base64 of 24 to 64 bytes; at least one.
  // INVALID_ARGUMENT, without the secret in it, for any other.
  static absl::StatusOr<WebhookSigner> Create(const std::vector<std::string>& secrets);

  // The value of the header `webhook-signature`: `v1,<base64>`, space-separated, in the secrets'
  // order. `timestamp`: seconds since 1970.
  std::string Sign(std::string_view id, int64_t timestamp, std::string_view body) const;

 private:
  explicit WebhookSigner(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  std::vector<std::string> keys_;  // raw bytes
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_SIGNER_H_
