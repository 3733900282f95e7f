#ifndef MSAB_TESTS_E2E_HARNESS_KEY_MATERIAL_H_
#define MSAB_TESTS_E2E_HARNESS_KEY_MATERIAL_H_

#include <string>

namespace msab::e2e {

// A fresh key pair as PEM texts.
struct KeyPair {
  std::string private_pem;
  std::string public_pem;
};
KeyPair NewRsaKey();
KeyPair NewEcKey();  // P-256

// A certificate and its key, as PEM texts.
struct Certificate {
  std::string pem;
  std::string key;
};

// A certificate for the host `name`, signed by `issuer`; without an issuer it is a root that may
// sign others.
Certificate NewCertificate(const std::string& name, const Certificate* issuer = nullptr);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_KEY_MATERIAL_H_
