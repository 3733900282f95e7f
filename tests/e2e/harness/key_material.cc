#include "tests/e2e/harness/key_material.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <functional>
#include <memory>

namespace msab::e2e {
namespace {

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
using PKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509, X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;

// What `write` writes into a memory BIO.
std::string Pem(const std::function<int(BIO*)>& write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(write(bio.get()), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string PrivatePem(EVP_PKEY* key) {
  return Pem([key](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

KeyPair ToPair(const PKey& key) {
  return {PrivatePem(key.get()),
          Pem([&key](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key.get()); })};
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

KeyPair NewRsaKey() { return ToPair(PKey(EVP_RSA_gen(2048))); }

KeyPair NewEcKey() { return ToPair(PKey(EVP_EC_gen("P-256"))); }

Certificate NewCertificate(const std::string& name, const Certificate* issuer) {
  static std::atomic<long> serial{1};
  const PKey key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  X509* x509 = certificate.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 86'400);
  X509_set_pubkey(x509, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  if (issuer == nullptr) {
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    AddExtension(x509, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(x509, key.get(), EVP_sha256());
  } else {
    const BioPtr issuer_bio(BIO_new_mem_buf(issuer->pem.data(), -1));
    const X509Ptr issuer_x509(PEM_read_bio_X509(issuer_bio.get(), nullptr, nullptr, nullptr));
    const BioPtr key_bio(BIO_new_mem_buf(issuer->key.data(), -1));
    const PKey issuer_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
    X509_set_issuer_name(x509, X509_get_subject_name(issuer_x509.get()));
    AddExtension(x509, NID_subject_alt_name, "DNS:" + name);
    X509_sign(x509, issuer_key.get(), EVP_sha256());
  }
  return {Pem([x509](BIO* bio) { return PEM_write_bio_X509(bio, x509); }), PrivatePem(key.get())};
}

}  // namespace msab::e2e
