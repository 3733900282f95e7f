#include "server/ingress/emit_batch.h"

#include "absl/strings/str_cat.h"
#include "msab/v1/event_service.pb.h"
#include "server/ingress/refusal.h"

namespace msab {

class EmitBatch::Item final : public Emit {
 public:
  EmitBatch* batch = nullptr;

 private:
  void Done() override { batch->ItemDone(); }
};

EmitBatch::EmitBatch() = default;
EmitBatch::~EmitBatch() = default;

bool EmitBatch::Fits(size_t events, google::rpc::Status& refusal) {
  if (events <= kMaxBatch) return true;
  const Violation violation{
      "events", absl::StrCat("has ", events, " items; at most ", kMaxBatch, " are allowed")};
  refusal = RefuseInvalid({&violation, 1});
  return false;
}

void EmitBatch::Start(Emitter& emitter, const v1::EmitEventsRequest& request,
                      const std::string& client, const Faults& faults) {
  size_ = request.events_size();
  items_ = std::make_unique<Item[]>(size_);
  const Emitter::Moment now = emitter.Now();
  left_.store(size_ + 1, std::memory_order_relaxed);
  for (int i = 0; i < size_; ++i) {
    items_[i].batch = this;
    const auto fault = faults.empty() ? faults.end() : faults.find(i);
    if (fault == faults.end()) {
      emitter.Start(items_[i], request.events(i), client, now);
    } else {
      emitter.Reject(items_[i], fault->second, client);
    }
  }
  ItemDone();
}

void EmitBatch::Answer(v1::EmitEventsResponse& response) const {
  response.mutable_results()->Reserve(size_);
  for (int i = 0; i < size_; ++i) {
    v1::EmitResult& result = *response.add_results();
    if (const google::rpc::Status* refusal = items_[i].refusal()) {
      *result.mutable_error() = *refusal;
    } else {
      items_[i].Answer(*result.mutable_ok());
    }
  }
}

}  // namespace msab
