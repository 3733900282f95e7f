#include "tests/e2e/harness/grpc_door.h"

#include <google/protobuf/util/json_util.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "msab/v1/event_service.grpc.pb.h"

namespace msab::e2e {
namespace {

v1::EmitEventRequest ToRequest(const std::string& json) {
  v1::EmitEventRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &request);
  EXPECT_TRUE(status.ok()) << status << " in " << json.substr(0, 400);
  return request;
}

Answer FromStatus(int code, const std::string& message, const google::rpc::Status& details) {
  Answer answer;
  answer.code = code;
  answer.message = message;
  for (const auto& detail : details.details()) {
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) {
        answer.violations[violation.field()] = violation.description();
      }
    } else if (detail.UnpackTo(&retry)) {
      answer.retry_ms =
          retry.retry_delay().seconds() * 1'000 + retry.retry_delay().nanos() / 1'000'000;
    } else {
      ADD_FAILURE() << "an unexpected detail: " << detail.type_url();
    }
  }
  return answer;
}

Answer FromGrpc(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  if (!status.error_details().empty()) {
    EXPECT_EQ(details.code(), status.error_code());
  }
  return FromStatus(status.error_code(), status.error_message(), details);
}

Answer FromResponse(const v1::EmitEventResponse& response) {
  Answer answer;
  answer.event_id = response.event_id();
  answer.cursor = response.cursor();
  answer.duplicate = response.duplicate();
  answer.superseded = response.superseded();
  answer.expired = response.expired();
  answer.users_targeted = response.recipients().users_targeted();
  answer.users_online = response.recipients().users_online();
  answer.connections = response.recipients().connections();
  return answer;
}

Answer FromResult(const v1::EmitResult& result) {
  if (result.has_error()) {
    return FromStatus(result.error().code(), result.error().message(), result.error());
  }
  EXPECT_TRUE(result.has_ok());
  return FromResponse(result.ok());
}

std::unique_ptr<grpc::ClientContext> Context(const std::string& key) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + kPatience);
  if (!key.empty()) context->AddMetadata("authorization", "Bearer " + key);
  return context;
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // A channel of its own per door, and back at once after a restart of the relay.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetMaxReceiveMessageSize(-1);
  return arguments;
}

}  // namespace

struct GrpcDoor::Impl {
  Impl(std::shared_ptr<grpc::Channel> to, std::string with)
      : channel(std::move(to)), stub(v1::EventService::NewStub(channel)), key(std::move(with)) {}

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::EventService::Stub> stub;
  std::string key;
};

GrpcDoor::GrpcDoor(const std::string& address, const std::string& key)
    : impl_(std::make_unique<Impl>(
          grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), Arguments()),
          key)) {}

GrpcDoor::GrpcDoor(const std::string& address, const std::string& key, const GrpcTls& tls) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls.server_ca;
  options.pem_cert_chain = tls.client_certificate;
  options.pem_private_key = tls.client_key;
  grpc::ChannelArguments arguments = Arguments();
  arguments.SetSslTargetNameOverride("localhost");
  impl_ = std::make_unique<Impl>(
      grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments), key);
}

GrpcDoor::~GrpcDoor() = default;

Answer GrpcDoor::Emit(const std::string& request) {
  const auto context = Context(impl_->key);
  v1::EmitEventResponse response;
  const grpc::Status status = impl_->stub->EmitEvent(context.get(), ToRequest(request), &response);
  return status.ok() ? FromResponse(response) : FromGrpc(status);
}

std::vector<Answer> GrpcDoor::EmitBatch(const std::vector<std::string>& requests) {
  const auto context = Context(impl_->key);
  v1::EmitEventsRequest batch;
  for (const std::string& request : requests) *batch.add_events() = ToRequest(request);
  v1::EmitEventsResponse response;
  const grpc::Status status = impl_->stub->EmitEvents(context.get(), batch, &response);
  if (!status.ok()) return {FromGrpc(status)};
  std::vector<Answer> answers;
  for (const auto& result : response.results()) answers.push_back(FromResult(result));
  return answers;
}

Answer GrpcDoor::GetCursor() {
  const auto context = Context(impl_->key);
  v1::GetCursorResponse response;
  const grpc::Status status = impl_->stub->GetCursor(context.get(), {}, &response);
  if (!status.ok()) return FromGrpc(status);
  Answer answer;
  answer.cursor = response.cursor();
  return answer;
}

struct GrpcDoor::Stream::Impl {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::EmitEventRequest, v1::EmitResult>> call;
};

GrpcDoor::Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcDoor::Stream::~Stream() {
  // A stream left open by a failed test must not be waited for.
  impl_->context->TryCancel();
}

bool GrpcDoor::Stream::Write(const std::string& request) {
  return impl_->call->Write(ToRequest(request));
}

std::optional<Answer> GrpcDoor::Stream::Read() {
  v1::EmitResult result;
  if (!impl_->call->Read(&result)) return std::nullopt;
  return FromResult(result);
}

void GrpcDoor::Stream::WritesDone() { impl_->call->WritesDone(); }

Answer GrpcDoor::Stream::Finish() { return FromGrpc(impl_->call->Finish()); }

std::unique_ptr<GrpcDoor::Stream> GrpcDoor::OpenStream() {
  auto impl = std::make_unique<Stream::Impl>();
  impl->context = Context(impl_->key);
  impl->call = impl_->stub->EmitEventStream(impl->context.get());
  return std::unique_ptr<Stream>(new Stream(std::move(impl)));
}

std::string GrpcDoor::Health() {
  // The health service's messages are two fields; Debian ships no .proto of them. Request: empty
  // (the server as a whole). Response: field 1, an enum.
  grpc::GenericStub stub(impl_->channel);
  const auto context = Context("");
  grpc::CompletionQueue queue;
  grpc::ByteBuffer request;
  grpc::Slice empty("", size_t{0});
  request = grpc::ByteBuffer(&empty, 1);
  auto call = stub.PrepareUnaryCall(context.get(), "/grpc.health.v1.Health/Check", request, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) return status.error_message();
  grpc::Slice bytes;
  if (!response.DumpToSingleSlice(&bytes).ok() || bytes.size() != 2) return "not understood";
  return bytes.begin()[1] == 1 ? "SERVING" : "NOT_SERVING";
}

}  // namespace msab::e2e
