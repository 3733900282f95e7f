#ifndef MSAB_INGRESS_EVENT_SERVICE_H_
#define MSAB_INGRESS_EVENT_SERVICE_H_

#include <chrono>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "msab/v1/event_service.grpc.pb.h"
#include "server/ingress/api_keys.h"
#include "server/ingress/emitter.h"

namespace msab {

class EmitStream;

// msab.v1.EventService over gRPC: finds out who calls, and hands what they bring to the Emitter.
//
// Owned by the Relay; outlives the GrpcServer. Methods run on gRPC's threads, several at a time.
class EventService final : public v1::EventService::CallbackService {
 public:
  struct Options {
    // No call may take longer, whatever its own deadline says; a stream's events are answered when
    // the log does.
    std::chrono::milliseconds max_deadline{10'000};
  };

  // `emitter` and `keys` outlive this.
  EventService(Emitter& emitter, const ApiKeys& keys, Options options);
  ~EventService() override;

  grpc::ServerUnaryReactor* EmitEvent(grpc::CallbackServerContext* context,
                                      const v1::EmitEventRequest* request,
                                      v1::EmitEventResponse* response) override;
  grpc::ServerUnaryReactor* EmitEvents(grpc::CallbackServerContext* context,
                                       const v1::EmitEventsRequest* request,
                                       v1::EmitEventsResponse* response) override;
  grpc::ServerBidiReactor<v1::EmitEventRequest, v1::EmitResult>* EmitEventStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* GetCursor(grpc::CallbackServerContext* context,
                                      const v1::GetCursorRequest* request,
                                      v1::GetCursorResponse* response) override;

  // Ends open streams, and those still to come, once what they brought is answered. After
  // Emitter::Drain.
  void DrainStreams();

  size_t open_streams() const;

 private:
  friend class EmitStream;
  class Allocators;

  // Who calls, if it may; else the refusal, counted.
  const ApiClient* Admit(const grpc::CallbackServerContext& context, google::rpc::Status& refusal);

  void Opened(EmitStream* stream);
  void Closed(EmitStream* stream);

  // Constant after construction
  Emitter& emitter_;
  const ApiKeys& keys_;
  const Options options_;
  const std::unique_ptr<Allocators> allocators_;

  // Any thread
  mutable absl::Mutex mu_;
  absl::flat_hash_set<EmitStream*> streams_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace msab

#endif  // MSAB_INGRESS_EVENT_SERVICE_H_
