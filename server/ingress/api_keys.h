#ifndef MSAB_INGRESS_API_KEYS_H_
#define MSAB_INGRESS_API_KEYS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace msab {

// An API key as configured: `name:key[:emit+admin]`.
struct ApiKeySetting {
  std::string name;  // who: for logs and metrics
  std::string key;
  bool emit = false;
  bool admin = false;
};

// A key's holder, once the key was shown.
struct ApiClient {
  std::string name;
  bool emit = false;
  bool admin = false;
};

// The ingress's keys. A key shown is compared with every key we have, digest with digest and in
// constant time, so that the time taken says nothing about any of them. Keys themselves are not
// kept. Immutable after construction; owned by the composition root. Any thread.
class ApiKeys {
 public:
  explicit ApiKeys(const std::vector<ApiKeySetting>& settings);

  // Whose `key` is; null for nobody's.
  const ApiClient* Find(std::string_view key) const;

  // The same from the value of an `authorization` header: "Bearer <key>". Null for any other.
  const ApiClient* FindBearer(std::string_view authorization) const;

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Known {
    Digest digest;
    ApiClient client;
  };

  // Constant after construction
  std::vector<Known> known_;
};

}  // namespace msab

#endif  // MSAB_INGRESS_API_KEYS_H_
