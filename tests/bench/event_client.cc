#include "tests/bench/event_client.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/bench/fail.h"

namespace msab::bench {
namespace {

void Authorize(grpc::ClientContext* context) {
  context->AddMetadata("authorization", absl::StrCat("Bearer ", kApiKey));
}

void Check(const grpc::Status& status) {
  if (!status.ok()) {
    Fail(absl::StrCat("a call failed: ", static_cast<int>(status.error_code()), " ",
                      status.error_message()));
  }
}

void Check(const v1::EmitEventResponse&) {}
void Check(const v1::EmitEventsResponse& response) {
  for (const v1::EmitResult& result : response.results()) {
    if (!result.has_ok()) Fail(absl::StrCat("an event of a batch: ", result.ShortDebugString()));
  }
}

template <typename Request, typename Response>
struct Call {
  grpc::ClientContext context;
  Request request;
  Response response;
};

void Start(v1::EventService::Stub& stub, Call<v1::EmitEventRequest, v1::EmitEventResponse>* call,
           std::function<void(grpc::Status)> done) {
  stub.async()->EmitEvent(&call->context, &call->request, &call->response, std::move(done));
}

void Start(v1::EventService::Stub& stub, Call<v1::EmitEventsRequest, v1::EmitEventsResponse>* call,
           std::function<void(grpc::Status)> done) {
  stub.async()->EmitEvents(&call->context, &call->request, &call->response, std::move(done));
}

// Calls that follow one another on gRPC's threads: each answered one begins the next.
template <typename Request, typename Response>
class Chain {
 public:
  Chain(v1::EventService::Stub& stub, size_t calls,
        const std::function<void(size_t, Request*)>& next)
      : stub_(stub), calls_(calls), next_(next) {}

  void Begin() {
    const size_t index = begun_.fetch_add(1);
    if (index >= calls_) return;
    auto* call = new Call<Request, Response>;
    Authorize(&call->context);
    next_(index, &call->request);
    Start(stub_, call, [this, call](const grpc::Status& status) {
      Check(status);
      Check(call->response);
      delete call;
      Begin();
      done_.fetch_add(1);
    });
  }

  bool done() const { return done_.load() == calls_; }

 private:
  v1::EventService::Stub& stub_;
  const size_t calls_;
  const std::function<void(size_t, Request*)>& next_;
  std::atomic<size_t> begun_{0};
  std::atomic<size_t> done_{0};
};

}  // namespace

struct EventClient::State {
  std::unique_ptr<v1::EventService::Stub> stub;
  std::atomic<size_t> under_way{0};
};

EventClient::EventClient(uint16_t port) : state_(std::make_unique<State>()) {
  state_->stub = v1::EventService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
}

EventClient::~EventClient() {
  while (state_->under_way.load() != 0) usleep(1'000);
}

void EventClient::Emit(const v1::EmitEventRequest& request) {
  auto* call = new Call<v1::EmitEventRequest, v1::EmitEventResponse>;
  Authorize(&call->context);
  call->request = request;
  state_->under_way.fetch_add(1);
  Start(*state_->stub, call, [state = state_.get(), call](const grpc::Status& status) {
    Check(status);
    delete call;
    state->under_way.fetch_sub(1);
  });
}

std::string EventClient::Cursor() {
  grpc::ClientContext context;
  Authorize(&context);
  v1::GetCursorResponse response;
  Check(state_->stub->GetCursor(&context, v1::GetCursorRequest(), &response));
  return response.cursor();
}

void EventClient::Run(size_t calls, size_t in_flight,
                      const std::function<void(size_t, v1::EmitEventRequest*)>& next,
                      const std::function<void()>& meanwhile) {
  Chain<v1::EmitEventRequest, v1::EmitEventResponse> chain(*state_->stub, calls, next);
  for (size_t i = 0; i < in_flight; ++i) chain.Begin();
  while (!chain.done()) meanwhile();
}

void EventClient::RunBatches(size_t calls, size_t in_flight,
                             const std::function<void(size_t, v1::EmitEventsRequest*)>& next) {
  Chain<v1::EmitEventsRequest, v1::EmitEventsResponse> chain(*state_->stub, calls, next);
  for (size_t i = 0; i < in_flight; ++i) chain.Begin();
  while (!chain.done()) usleep(500);
}

}  // namespace msab::bench
