// gRPC under TLS, and with certificates of its clients.
#include <gtest/gtest.h>

#include "tests/e2e/harness/grpc_door.h"
#include "tests/e2e/harness/key_material.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

class TlsTest : public RelayTest {
 protected:
  Answer EmitOver(const GrpcTls& tls, const std::string& key = kApiKey) {
    return GrpcDoor(relay().grpc_address(), key, tls).Emit(Marker(101, 1));
  }

  const Certificate ca_ = NewCertificate("ca.example");
  const Certificate server_ = NewCertificate("localhost", &ca_);
  const Certificate client_ = NewCertificate("laravel.example", &ca_);
  const Certificate other_ca_ = NewCertificate("other-ca.example");
  const Certificate stranger_ = NewCertificate("laravel.example", &other_ca_);
};

TEST_F(TlsTest, ServesOverTlsAndNotWithout) {
  Start({.files = {{"grpc.tls_cert", server_.pem}, {"grpc.tls_key", server_.key}}});
  EXPECT_TRUE(EmitOver({.server_ca = ca_.pem}).ok());
  EXPECT_EQ(EmitOver({.server_ca = other_ca_.pem}).code, kUnavailable);
  EXPECT_EQ(GrpcDoor(relay().grpc_address()).Emit(Marker(101, 1)).code, kUnavailable);
  EXPECT_EQ(EmitOver({.server_ca = ca_.pem}, "wrong").code, kUnauthenticated);
}

TEST_F(TlsTest, AsksItsClientsForCertificates) {
  Start({.files = {{"grpc.tls_cert", server_.pem},
                   {"grpc.tls_key", server_.key},
                   {"grpc.client_ca", ca_.pem}}});
  const auto with = [this](const Certificate& client) {
    return GrpcTls{
        .server_ca = ca_.pem, .client_certificate = client.pem, .client_key = client.key};
  };
  EXPECT_TRUE(EmitOver(with(client_)).ok());
  EXPECT_EQ(EmitOver(with(client_), "wrong").code, kUnauthenticated)
      << "a certificate replaces no key";
  EXPECT_EQ(EmitOver(with(stranger_)).code, kUnavailable);
  EXPECT_EQ(EmitOver({.server_ca = ca_.pem}).code, kUnavailable);
}

}  // namespace
}  // namespace msab::e2e
