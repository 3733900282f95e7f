#include "server/ingress/event_service.h"

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "grpcpp/alarm.h"
#include "server/ingress/authorize.h"
#include "server/ingress/emit_batch.h"
#include "server/ingress/emit_stream.h"
#include "server/ingress/grpc_status.h"

namespace msab {
namespace {

using std::chrono::system_clock;

// Request and response of a call in one arena, whose first block comes with it: parsing a batch is
// then hardly ever an allocation.
template <typename Request, typename Response, size_t kBlock>
class ArenaAllocator final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override { return new Holder; }

 private:
  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    Holder() : arena_(block_, sizeof(block_)) {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override { delete this; }

   private:
    alignas(8) char block_[kBlock];  // not initialised
    google::protobuf::Arena arena_;
  };
};

// A unary call whose work (an Emit or an EmitBatch) may end late, on the log's thread. Lives until
// gRPC, the work and the alarm are done with it.
template <typename Work, typename Response>
class EmitCall final : public grpc::ServerUnaryReactor, private Work {
 public:
  EmitCall(Emitter& emitter, Response* response) : emitter_(emitter), response_(response) {}

  // From the method that returns this: gRPC's side can't end before. The emitter was entered.
  template <typename Request>
  void Run(const Request& request, const std::string& client, std::chrono::milliseconds longest) {
    if constexpr (std::is_base_of_v<EmitBatch, Work>) {
      Work::Start(emitter_, request, client);
    } else {
      emitter_.Start(*this, request, client);
    }
    if (state_.load(std::memory_order_acquire) == State::kDone) return;
    refs_.fetch_add(1, std::memory_order_relaxed);
    alarm_.emplace();
    alarm_->Set(system_clock::now() + longest, [this](bool due) {
      if (due) Reply({grpc::StatusCode::DEADLINE_EXCEEDED, "the log did not answer in time"});
      Unref();
    });
    State started = State::kStarted;
    if (!state_.compare_exchange_strong(started, State::kAwaited)) alarm_->Cancel();
  }

 private:
  enum class State { kStarted, kAwaited, kDone };

  // The work's end.
  void Done() override {
    emitter_.Leave();
    if (!replied_.exchange(true)) {
      if constexpr (std::is_base_of_v<EmitBatch, Work>) {
        this->Answer(*response_);
        Finish(grpc::Status::OK);
      } else if (this->refusal() != nullptr) {
        Finish(ToGrpcStatus(*this->refusal()));
      } else {
        this->Answer(*response_);
        Finish(grpc::Status::OK);
      }
    }
    if (state_.exchange(State::kDone, std::memory_order_acq_rel) == State::kAwaited) {
      alarm_->Cancel();
    }
    Unref();
  }

  // gRPC's side
  void OnCancel() override { Reply(grpc::Status::CANCELLED); }
  void OnDone() override { Unref(); }

  // What is said instead of an answer that didn't come in time; the work goes on.
  void Reply(grpc::Status status) {
    if (!replied_.exchange(true)) Finish(std::move(status));
  }

  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  Emitter& emitter_;
  Response* const response_;          // gRPC's; gone once replied
  std::atomic<int> refs_{2};          // gRPC's and the work's; a third for the alarm
  std::atomic<bool> replied_{false};  // Finish was called, or is about to be
  std::atomic<State> state_{State::kStarted};
  std::optional<grpc::Alarm> alarm_;  // only where the work ends late
};

// True if nobody waits for the answer any more: such a call must not emit.
bool Abandoned(const grpc::CallbackServerContext& context) {
  return context.IsCancelled() || context.deadline() <= system_clock::now();
}

grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context, grpc::Status status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(std::move(status));
  return reactor;
}

}  // namespace

class EventService::Allocators {
 public:
  explicit Allocators(EventService& service) {
    service.SetMessageAllocatorFor_EmitEvent(&one_);
    service.SetMessageAllocatorFor_EmitEvents(&batch_);
  }

 private:
  ArenaAllocator<v1::EmitEventRequest, v1::EmitEventResponse, 1'536> one_;
  ArenaAllocator<v1::EmitEventsRequest, v1::EmitEventsResponse, 32'768> batch_;
};

EventService::EventService(Emitter& emitter, const ApiKeys& keys, Options options)
    : emitter_(emitter),
      keys_(keys),
      options_(options),
      allocators_(std::make_unique<Allocators>(*this)) {}

EventService::~EventService() = default;

const ApiClient* EventService::Admit(const grpc::CallbackServerContext& context,
                                     google::rpc::Status& refusal) {
  const ApiClient* const client = Authorize(keys_, context, Right::kEmit, refusal);
  if (client == nullptr) {
    emitter_.Refused(refusal, context.peer());
    return nullptr;
  }
  return client;
}

grpc::ServerUnaryReactor* EventService::EmitEvent(grpc::CallbackServerContext* context,
                                                  const v1::EmitEventRequest* request,
                                                  v1::EmitEventResponse* response) {
  google::rpc::Status refusal;
  const ApiClient* const client = Admit(*context, refusal);
  if (client == nullptr) return FinishNow(context, ToGrpcStatus(refusal));
  if (Abandoned(*context)) return FinishNow(context, grpc::Status::CANCELLED);
  if (!emitter_.Enter(refusal)) {
    emitter_.Refused(refusal, client->name);
    return FinishNow(context, ToGrpcStatus(refusal));
  }
  auto* const call = new EmitCall<Emit, v1::EmitEventResponse>(emitter_, response);
  call->Run(*request, client->name, options_.max_deadline);
  return call;
}

grpc::ServerUnaryReactor* EventService::EmitEvents(grpc::CallbackServerContext* context,
                                                   const v1::EmitEventsRequest* request,
                                                   v1::EmitEventsResponse* response) {
  google::rpc::Status refusal;
  const ApiClient* const client = Admit(*context, refusal);
  if (client == nullptr) return FinishNow(context, ToGrpcStatus(refusal));
  if (Abandoned(*context)) return FinishNow(context, grpc::Status::CANCELLED);
  if (!EmitBatch::Fits(*request, refusal) || !emitter_.Enter(refusal)) {
    emitter_.Refused(refusal, client->name);
    return FinishNow(context, ToGrpcStatus(refusal));
  }
  auto* const call = new EmitCall<EmitBatch, v1::EmitEventsResponse>(emitter_, response);
  call->Run(*request, client->name, options_.max_deadline);
  return call;
}

grpc::ServerBidiReactor<v1::EmitEventRequest, v1::EmitResult>* EventService::EmitEventStream(
    grpc::CallbackServerContext* context) {
  google::rpc::Status refusal;
  const ApiClient* const client = Admit(*context, refusal);
  if (client == nullptr) return EmitStream::Refused(ToGrpcStatus(refusal));
  if (emitter_.draining()) return EmitStream::Refused(ToGrpcStatus(Emitter::DrainingRefusal()));
  auto* const stream = new EmitStream(*this, emitter_, client->name);
  stream->Start();
  return stream;
}

grpc::ServerUnaryReactor* EventService::GetCursor(grpc::CallbackServerContext* context,
                                                  const v1::GetCursorRequest* /*request*/,
                                                  v1::GetCursorResponse* response) {
  google::rpc::Status refusal;
  if (Admit(*context, refusal) == nullptr) return FinishNow(context, ToGrpcStatus(refusal));
  response->set_cursor(emitter_.Cursor());
  return FinishNow(context, grpc::Status::OK);
}

void EventService::DrainStreams() {
  absl::MutexLock lock(&mu_);
  draining_ = true;
  for (EmitStream* const stream : streams_) stream->Drain();
}

size_t EventService::open_streams() const {
  absl::MutexLock lock(&mu_);
  return streams_.size();
}

void EventService::Opened(EmitStream* stream) {
  absl::MutexLock lock(&mu_);
  streams_.insert(stream);
  if (draining_) stream->Drain();
}

void EventService::Closed(EmitStream* stream) {
  absl::MutexLock lock(&mu_);
  streams_.erase(stream);
}

}  // namespace msab
