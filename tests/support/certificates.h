#ifndef MSAB_TESTS_SUPPORT_CERTIFICATES_H_
#define MSAB_TESTS_SUPPORT_CERTIFICATES_H_

#include <string>

namespace msab::test {

// A key and a certificate for it, in PEM.
struct Certificate {
  std::string key;
  std::string certificate;
};

// A certificate for `name`, signed by `issuer`, or by itself (an authority) if that is null. Valid
// for an hour.
Certificate MakeCertificate(const std::string& name, const Certificate* issuer);

}  // namespace msab::test

#endif  // MSAB_TESTS_SUPPORT_CERTIFICATES_H_
