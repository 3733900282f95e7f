#ifndef MSAB_INGRESS_EMIT_STREAM_H_
#define MSAB_INGRESS_EMIT_STREAM_H_

#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "msab/v1/event_service.grpc.pb.h"
#include "server/ingress/emitter.h"
#include "server/ingress/event_service.h"

namespace msab {

// One EmitEventStream: takes event after event, several under way at a time, and answers them in
// their order. It ends when the client has no more, when the client is gone, or when the relay
// drains; what was taken is answered first.
//
// Owns itself: from the call's beginning until gRPC is done with it and every emit has ended.
// gRPC's threads and the log's, one lock over its state.
class EmitStream final : public grpc::ServerBidiReactor<v1::EmitEventRequest, v1::EmitResult> {
 public:
  // How many events of a stream are under way before the next is read.
  static constexpr size_t kMaxUnanswered = 64;

  EmitStream(EventService& service, Emitter& emitter, const std::string& client);

  // A stream that ends at once.
  static grpc::ServerBidiReactor<v1::EmitEventRequest, v1::EmitResult>* Refused(
      grpc::Status status);

  // Begins to read. From the method that returns this.
  void Start();

  // Reads no more; ends with UNAVAILABLE when all that was taken is answered.
  void Drain();

  // gRPC's side
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // One event of the stream.
  class Slot;

  ~EmitStream() override;

  void Answered(Slot* slot);
  // Each starts what can be started now: a read, a write, the end.
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void End() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction
  EventService& service_;
  Emitter& emitter_;
  const std::string& client_;

  // Any thread
  absl::Mutex mu_;
  std::unique_ptr<Slot> reading_ ABSL_GUARDED_BY(mu_);            // null: no read is under way
  bool starting_ ABSL_GUARDED_BY(mu_) = false;                    // taken_.back() is being emitted
  std::deque<std::unique_ptr<Slot>> taken_ ABSL_GUARDED_BY(mu_);  // in their order
  size_t under_way_ ABSL_GUARDED_BY(mu_) = 0;                     // of taken_, those not answered
  bool writing_ ABSL_GUARDED_BY(mu_) = false;                     // taken_.front()
  bool no_more_ ABSL_GUARDED_BY(mu_) = false;                     // nothing further is read
  bool broken_ ABSL_GUARDED_BY(mu_) = false;  // the client is gone: nothing further is written
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  bool released_ ABSL_GUARDED_BY(mu_) = false;  // gRPC is done with it
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace msab

#endif  // MSAB_INGRESS_EMIT_STREAM_H_
