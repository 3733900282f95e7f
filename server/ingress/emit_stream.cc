#include "server/ingress/emit_stream.h"

#include <utility>

#include "server/ingress/grpc_status.h"

namespace msab {

class EmitStream::Slot final : public Emit {
 public:
  explicit Slot(EmitStream* stream) : stream_(stream) {}

  v1::EmitEventRequest request;
  v1::EmitResult result;
  bool entered = false;   // counted among the calls in flight
  bool answered = false;  // `result` is there

 private:
  void Done() override {
    if (refusal() != nullptr) {
      *result.mutable_error() = *refusal();
    } else {
      Answer(*result.mutable_ok());
    }
    stream_->Answered(this);
  }

  EmitStream* const stream_;
};

grpc::ServerBidiReactor<v1::EmitEventRequest, v1::EmitResult>* EmitStream::Refused(
    grpc::Status status) {
  class Refusal final : public grpc::ServerBidiReactor<v1::EmitEventRequest, v1::EmitResult> {
   public:
    explicit Refusal(grpc::Status status) { Finish(std::move(status)); }
    void OnDone() override { delete this; }
  };
  return new Refusal(std::move(status));
}

EmitStream::EmitStream(EventService& service, Emitter& emitter, const std::string& client)
    : service_(service), emitter_(emitter), client_(client) {}

EmitStream::~EmitStream() = default;

void EmitStream::Start() {
  service_.Opened(this);
  absl::MutexLock lock(&mu_);
  Read();
}

void EmitStream::Read() {
  // One after the other: an event read while its predecessor is being emitted could overtake it.
  if (no_more_ || reading_ != nullptr || starting_ || taken_.size() >= kMaxUnanswered) return;
  reading_ = std::make_unique<Slot>(this);
  StartRead(&reading_->request);
}

void EmitStream::OnReadDone(bool ok) {
  Slot* slot;
  {
    absl::MutexLock lock(&mu_);
    if (!ok || no_more_) {
      // The client has no more, or the stream ends: what was read too late was never taken.
      no_more_ = true;
      reading_.reset();
      return End();
    }
    slot = reading_.get();
    taken_.push_back(std::move(reading_));
    ++under_way_;
    starting_ = true;
  }
  google::rpc::Status refusal;
  slot->entered = emitter_.Enter(refusal);
  if (slot->entered) {
    emitter_.Start(*slot, slot->request, client_, emitter_.Now());
  } else {
    emitter_.Refused(refusal, client_);
    *slot->result.mutable_error() = std::move(refusal);
    Answered(slot);
  }
  absl::MutexLock lock(&mu_);
  starting_ = false;
  Read();
}

void EmitStream::Answered(Slot* slot) {
  if (slot->entered) emitter_.Leave();
  bool last;
  {
    absl::MutexLock lock(&mu_);
    slot->answered = true;
    --under_way_;
    Write();
    End();
    last = released_ && under_way_ == 0;
  }
  if (last) delete this;
}

void EmitStream::Write() {
  if (broken_ || writing_ || finished_ || taken_.empty() || !taken_.front()->answered) return;
  writing_ = true;
  // With more to write behind it, gRPC may wait for that before it makes a packet.
  const bool more = taken_.size() > 1 && taken_[1]->answered;
  StartWrite(&taken_.front()->result,
             more ? grpc::WriteOptions().set_buffer_hint() : grpc::WriteOptions());
}

void EmitStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mu_);
  writing_ = false;
  if (!ok) broken_ = no_more_ = true;
  taken_.pop_front();
  Write();
  Read();
  End();
}

void EmitStream::End() {
  if (!no_more_ || finished_) return;
  if (!broken_ && !taken_.empty()) return;
  if (writing_) return;
  finished_ = true;
  Finish(status_);
}

void EmitStream::Drain() {
  absl::MutexLock lock(&mu_);
  if (no_more_) return;
  no_more_ = true;
  status_ = ToGrpcStatus(emitter_.DrainingRefusal());
  End();
}

void EmitStream::OnCancel() {
  absl::MutexLock lock(&mu_);
  broken_ = no_more_ = true;
  End();
}

void EmitStream::OnDone() {
  service_.Closed(this);
  bool last;
  {
    absl::MutexLock lock(&mu_);
    released_ = true;
    last = under_way_ == 0;
  }
  if (last) delete this;
}

}  // namespace msab
