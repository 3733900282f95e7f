#include "server/ingress/event_service.h"

#include <algorithm>
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

// How often a call whose work goes on is looked at: is somebody still waiting for it?
constexpr std::chrono::milliseconds kLookAfter{100};

// A unary call whose work (an Emit or an EmitBatch) may end late, on the log's thread. It answers
// through the call's default reactor, whose end costs no change of threads; a reactor of our own
// would cost one at every call. Lives until the work and the alarm are done with it.
template <typename Work, typename Response>
class EmitCall final : private Work {
 public:
  // Starts the work; the emitter was entered. Returns what the method returns.
  template <typename Request>
  static grpc::ServerUnaryReactor* Run(Emitter& emitter, grpc::CallbackServerContext* context,
                                       const Request& request, Response* response,
                                       const std::string& client,
                                       std::chrono::milliseconds longest) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    auto* const call = new EmitCall(emitter, context, reactor, response);
    if constexpr (kBatch) {
      call->Work::Start(emitter, request, client);
    } else {
      emitter.Start(*call, request, client, emitter.Now());
    }
    call->Await(longest);
    return reactor;
  }

 private:
  static constexpr bool kBatch = std::is_base_of_v<EmitBatch, Work>;

  EmitCall(Emitter& emitter, const grpc::CallbackServerContext* context,
           grpc::ServerUnaryReactor* reactor, Response* response)
      : emitter_(emitter), context_(context), reactor_(reactor), response_(response) {}

  // Sees to it that a call whose work goes on ends when nobody waits for it any more, and at the
  // longest.
  void Await(std::chrono::milliseconds longest) {
    {
      absl::MutexLock lock(&mu_);
      if (!replied_) {
        end_ = system_clock::now() + longest;
        Arm();
      }
    }
    Unref();
  }

  void Arm() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    refs_.fetch_add(1, std::memory_order_relaxed);
    alarm_.emplace();
    alarm_->Set(std::min(end_, system_clock::now() + kLookAfter),
                [this](bool due) { OnAlarm(due); });
  }

  void OnAlarm(bool due) {
    {
      absl::MutexLock lock(&mu_);
      if (due && !replied_) {
        if (context_->IsCancelled()) {
          Reply(grpc::Status::CANCELLED);
        } else if (system_clock::now() >= end_) {
          Reply({grpc::StatusCode::DEADLINE_EXCEEDED, "the log did not answer in time"});
        } else {
          Arm();
        }
      }
    }
    Unref();
  }

  // The work's end.
  void Done() override {
    emitter_.Leave();
    {
      absl::MutexLock lock(&mu_);
      if (!replied_) Reply(Outcome());
      if (alarm_) alarm_->Cancel();
    }
    Unref();
  }

  grpc::Status Outcome() {
    if constexpr (!kBatch) {
      if (this->refusal() != nullptr) return ToGrpcStatus(*this->refusal());
    }
    this->Answer(*response_);
    return grpc::Status::OK;
  }

  // The call is gRPC's from here on, and gone when gRPC likes.
  void Reply(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    replied_ = true;
    reactor_->Finish(std::move(status));
  }

  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // Constant after construction; all but the emitter gRPC's, and gone once replied
  Emitter& emitter_;
  const grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  Response* const response_;

  // Any thread
  std::atomic<int> refs_{2};  // the work's and Run's; one for each alarm
  absl::Mutex mu_;
  bool replied_ ABSL_GUARDED_BY(mu_) = false;
  system_clock::time_point end_ ABSL_GUARDED_BY(mu_);
  std::optional<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mu_);  // only where the work ends late
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
  return EmitCall<Emit, v1::EmitEventResponse>::Run(emitter_, context, *request, response,
                                                    client->name, options_.max_deadline);
}

grpc::ServerUnaryReactor* EventService::EmitEvents(grpc::CallbackServerContext* context,
                                                   const v1::EmitEventsRequest* request,
                                                   v1::EmitEventsResponse* response) {
  google::rpc::Status refusal;
  const ApiClient* const client = Admit(*context, refusal);
  if (client == nullptr) return FinishNow(context, ToGrpcStatus(refusal));
  if (Abandoned(*context)) return FinishNow(context, grpc::Status::CANCELLED);
  if (!EmitBatch::Fits(request->events_size(), refusal) || !emitter_.Enter(refusal)) {
    emitter_.Refused(refusal, client->name);
    return FinishNow(context, ToGrpcStatus(refusal));
  }
  return EmitCall<EmitBatch, v1::EmitEventsResponse>::Run(emitter_, context, *request, response,
                                                          client->name, options_.max_deadline);
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
