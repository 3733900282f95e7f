#ifndef MSAB_TESTS_UNIT_INGRESS_INGRESS_FIXTURE_H_
#define MSAB_TESTS_UNIT_INGRESS_INGRESS_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "msab/v1/event_service.pb.h"
#include "server/contract/catalog.h"
#include "server/dispatch/dispatcher.h"
#include "server/ingress/api_keys.h"
#include "server/ingress/emit_batch.h"
#include "server/ingress/emitter.h"
#include "server/log/memory_log.h"
#include "tests/contract/late_log.h"
#include "tests/support/entries.h"
#include "tests/support/fake_inbox.h"

namespace msab::test {

// A request as one writes it by hand: {"balance_updated":{"user_id":42}}.
template <typename Request = v1::EmitEventRequest>
Request FromJson(const std::string& json) {
  Request request;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &request);
  EXPECT_TRUE(status.ok()) << status.ToString() << " in " << json;
  return request;
}

// The paths of a refusal's violated fields.
inline std::vector<std::string> FieldsOf(const google::rpc::Status& refusal) {
  std::vector<std::string> fields;
  for (const auto& detail : refusal.details()) {
    google::rpc::BadRequest bad;
    if (!detail.UnpackTo(&bad)) continue;
    for (const auto& violation : bad.field_violations()) fields.push_back(violation.field());
  }
  return fields;
}

// When it may be repeated, in milliseconds; -1: not said.
inline int64_t RetryOf(const google::rpc::Status& refusal) {
  for (const auto& detail : refusal.details()) {
    google::rpc::RetryInfo retry;
    if (!detail.UnpackTo(&retry)) continue;
    return retry.retry_delay().seconds() * 1000 + retry.retry_delay().nanos() / 1'000'000;
  }
  return -1;
}

// Waits until `log` has `n` appends to complete; false if they don't come.
inline bool AwaitPending(const LateLog& log, size_t n) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (log.pending() < n && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return log.pending() == n;
}

// An emit in the test's hand.
class TestEmit final : public Emit {
 public:
  bool done() const { return done_; }
  absl::StatusCode code() const {
    return refusal() == nullptr ? absl::StatusCode::kOk
                                : static_cast<absl::StatusCode>(refusal()->code());
  }
  v1::EmitEventResponse answer() const {
    v1::EmitEventResponse response;
    Answer(response);
    return response;
  }

 private:
  void Done() override {
    EXPECT_FALSE(done_);
    done_ = true;
  }
  bool done_ = false;
};

class TestBatch final : public EmitBatch {
 public:
  bool done() const { return done_; }
  v1::EmitEventsResponse answer() const {
    v1::EmitEventsResponse response;
    Answer(response);
    return response;
  }

 private:
  void Done() override {
    EXPECT_FALSE(done_);
    done_ = true;
  }
  bool done_ = false;
};

// The ingress over a real catalog, dispatcher and log `L`, with one shard's inbox in the test's
// hand. `App\Events\*` is allowed as a custom event.
template <typename L = MemoryLog>
struct IngressHouse {
  explicit IngressHouse(Emitter::Options options = {})
      : emitter(*catalog, clock, dispatcher, options) {
    dispatcher.AddShard(&inbox);
  }

  // A user's connection, as its shard registers it.
  void Connect(const std::string& id, UserId user, std::vector<std::string> rooms = {}) {
    const auto profile = std::make_shared<const std::string>("{}");
    EXPECT_TRUE(dispatcher.Register({id, user, 0, profile}, Allowed(rooms)).ok());
    inbox.Take();
  }

  std::unique_ptr<TestEmit> Emit(const v1::EmitEventRequest& request) {
    auto emit = std::make_unique<TestEmit>();
    emitter.Start(*emit, request, client, emitter.Now());
    return emit;
  }
  std::unique_ptr<TestEmit> Emit(const std::string& json) {
    return Emit(FromJson<v1::EmitEventRequest>(json));
  }

  // Entries that reached the shard.
  std::vector<EntryPtr> Delivered() {
    std::vector<EntryPtr> entries;
    for (InboxItem& item : inbox.Take()) {
      if (item.entry != nullptr) entries.push_back(std::move(item.entry));
    }
    return entries;
  }

  ManualClock clock;
  const std::unique_ptr<const Catalog> catalog =
      *Catalog::Create({{"App\\Events\\*", true, true, true, DeliveryClass::kDurable}});
  L log{MemoryLog::Options{}, clock, "testepoch"};
  FakeInbox inbox;
  Dispatcher dispatcher{*catalog, clock, log, {}};
  const ApiKeys keys{{{"laravel", "emit-key", true, false}, {"board", "admin-key", false, true}}};
  Emitter emitter;
  const std::string client = "laravel";
};

}  // namespace msab::test

#endif  // MSAB_TESTS_UNIT_INGRESS_INGRESS_FIXTURE_H_
