#include <grpcpp/grpcpp.h>

#include <cstdlib>

#include "msab/v1/event_service.grpc.pb.h"
#include "tests/bench/baselines.h"

namespace msab::bench {
namespace {

// The price of gRPC itself: the same requests, parsed, and an empty answer.
class EmptyService final : public v1::EventService::CallbackService {
 public:
  grpc::ServerUnaryReactor* EmitEvent(grpc::CallbackServerContext* context,
                                      const v1::EmitEventRequest*,
                                      v1::EmitEventResponse*) override {
    return Finish(context);
  }

  grpc::ServerUnaryReactor* EmitEvents(grpc::CallbackServerContext* context,
                                       const v1::EmitEventsRequest*,
                                       v1::EmitEventsResponse*) override {
    return Finish(context);
  }

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

void ServeGrpc() {
  EmptyService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) std::_Exit(1);
  Announce(static_cast<uint32_t>(port));
  NextCommand();  // returns when the bench has gone: never
  std::_Exit(0);
}

}  // namespace msab::bench
