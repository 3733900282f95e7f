#ifndef MSAB_INGRESS_EMIT_BATCH_H_
#define MSAB_INGRESS_EMIT_BATCH_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "google/rpc/status.pb.h"
#include "server/ingress/emitter.h"

namespace msab {

namespace v1 {
class EmitEventsRequest;
class EmitEventsResponse;
}  // namespace v1

// The most events of one batch.
inline constexpr int kMaxBatch = 1'000;

// Several emits of one call: started in their order, each on its own. Made by whoever received the
// batch, which keeps it until Done was called.
class EmitBatch {
 public:
  EmitBatch(const EmitBatch&) = delete;
  EmitBatch& operator=(const EmitBatch&) = delete;

  // True if a call with so many events may be started; else `refusal` says why not.
  static bool Fits(size_t events, google::rpc::Status& refusal);

  // As Emitter::Start, for every event of the request. Those that could not be read have their
  // refusals in `faults`, by place.
  using Faults = absl::flat_hash_map<int, google::rpc::Status>;
  void Start(Emitter& emitter, const v1::EmitEventsRequest& request, const std::string& client,
             const Faults& faults = {});

  // After Done: writes one result for each event, in their order.
  void Answer(v1::EmitEventsResponse& response) const;

 protected:
  EmitBatch();
  ~EmitBatch();

  // All outcomes are there. Once; before Start returns, or on the log's thread.
  virtual void Done() = 0;

 private:
  class Item;

  void ItemDone() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) Done();
  }

  int size_ = 0;
  std::unique_ptr<Item[]> items_;
  std::atomic<int> left_{0};  // items not done, and one for Start
};

}  // namespace msab

#endif  // MSAB_INGRESS_EMIT_BATCH_H_
