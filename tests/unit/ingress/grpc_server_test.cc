#include "server/ingress/grpc_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>

#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "server/ingress/event_service.h"
#include "tests/support/certificates.h"
#include "tests/unit/ingress/ingress_fixture.h"

namespace msab {
namespace {

using test::Certificate;
using test::MakeCertificate;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::string WriteFile(const std::string& name, const std::string& content) {
  const std::string path = ::testing::TempDir() + "/grpc_server_test_" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// Calls a unary method of a service that has no stub here, with the request's bytes.
grpc::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::string& request, std::string& response) {
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 20s);
  grpc::Slice slice(request);
  const grpc::ByteBuffer out(&slice, 1);
  grpc::ByteBuffer in;
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, method, out, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&in, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  grpc::Slice whole;
  if (status.ok() && in.DumpToSingleSlice(&whole).ok()) {
    response.assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }
  return status;
}

class GrpcServerTest : public ::testing::Test {
 protected:
  void StartServer(GrpcServer::Options options) {
    options.listen = {"127.0.0.1", 0};
    auto server = GrpcServer::Start(options, {{"msab.v1.EventService", &service_}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::shared_ptr<grpc::Channel> Plain() {
    return grpc::CreateChannel(server_->address().ToString(), grpc::InsecureChannelCredentials());
  }
  grpc::Status GetCursor(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer emit-key");
    context.set_deadline(std::chrono::system_clock::now() + 20s);
    v1::GetCursorResponse response;
    return v1::EventService::NewStub(channel)->GetCursor(&context, {}, &response);
  }
  // grpc.health.v1's answer: 1 SERVING, 2 NOT_SERVING. An empty request asks for the whole server.
  int Health(const std::string& service) {
    std::string request;
    if (!service.empty()) {
      request = std::string("\x0a") + static_cast<char>(service.size()) + service;
    }
    std::string response;
    const grpc::Status status = CallRaw(Plain(), "/grpc.health.v1.Health/Check", request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.size() == 2 && response[0] == 8 ? response[1] : 0;
  }

  test::IngressHouse<> house_;
  EventService service_{house_.emitter, house_.keys, {}};
  std::unique_ptr<GrpcServer> server_;
};

// What a stranger sends must not reach stderr by itself: this comes before any key is looked at.
TEST_F(GrpcServerTest, ACallThatCanNotBeReadIsRefusedWithoutALineOfItsOwn) {
  StartServer({});
  std::string response;
  testing::internal::CaptureStderr();
  // An EmitEventRequest whose `coins` is no UTF-8.
  EXPECT_FALSE(
      CallRaw(Plain(), "/msab.v1.EventService/EmitEvent", "\x52\x04\x12\x02\xff\xff", response)
          .ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(house_.log.Head(), 0u);
}

TEST_F(GrpcServerTest, HealthNeedsNoKeyAndSaysWhatItIsTold) {
  StartServer({});
  EXPECT_EQ(Health(""), 2);
  server_->SetServing(true);
  EXPECT_EQ(Health(""), 1);
  EXPECT_EQ(Health("msab.v1.EventService"), 1);
  server_->SetServing(false);
  EXPECT_EQ(Health("msab.v1.EventService"), 2);
}

TEST_F(GrpcServerTest, ReflectionCanBeSwitchedOff) {
  // One question on the stream: list_services.
  std::string response;
  const auto ask = [&] {
    return CallRaw(Plain(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   "\x3a\x01*", response)
        .error_code();
  };
  StartServer({.reflection = true});
  EXPECT_EQ(ask(), grpc::StatusCode::OK);
  EXPECT_THAT(response, HasSubstr("msab.v1.EventService"));
  StartServer({.reflection = false});
  EXPECT_EQ(ask(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(GetCursor(Plain()).ok());
}

TEST_F(GrpcServerTest, SpeaksTls) {
  const Certificate ca = MakeCertificate("authority", nullptr);
  const Certificate own = MakeCertificate("localhost", &ca);
  StartServer({.tls_cert = WriteFile("cert.pem", own.certificate),
               .tls_key = WriteFile("key.pem", own.key)});
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("localhost");
  const std::string address = server_->address().ToString();
  EXPECT_TRUE(GetCursor(grpc::CreateCustomChannel(
                            address, grpc::SslCredentials({ca.certificate, "", ""}), arguments))
                  .ok());
  EXPECT_EQ(GetCursor(Plain()).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, WantsAClientCertificateOfItsAuthority) {
  const Certificate ca = MakeCertificate("authority", nullptr);
  const Certificate own = MakeCertificate("localhost", &ca);
  const Certificate laravel = MakeCertificate("laravel", &ca);
  const Certificate other_ca = MakeCertificate("other", nullptr);
  const Certificate stranger = MakeCertificate("laravel", &other_ca);
  StartServer({.tls_cert = WriteFile("cert.pem", own.certificate),
               .tls_key = WriteFile("key.pem", own.key),
               .client_ca = WriteFile("ca.pem", ca.certificate)});
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("localhost");
  const auto with = [&](const Certificate& client) {
    return GetCursor(grpc::CreateCustomChannel(
        server_->address().ToString(),
        grpc::SslCredentials({ca.certificate, client.key, client.certificate}), arguments));
  };
  EXPECT_TRUE(with(laravel).ok());
  EXPECT_EQ(with(stranger).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(with({}).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, NamesWhatIsWrongAtStart) {
  StartServer({});
  EventService other(house_.emitter, house_.keys, {});
  const auto second = GrpcServer::Start({.listen = server_->address()}, {{"other", &other}});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(server_->address().ToString()));
  const auto no_file = GrpcServer::Start(
      {.listen = {"127.0.0.1", 0}, .tls_cert = "/nowhere/cert.pem", .tls_key = "k"}, {});
  EXPECT_THAT(std::string(no_file.status().message()), HasSubstr("/nowhere/cert.pem"));
}

}  // namespace
}  // namespace msab
