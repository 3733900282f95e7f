#ifndef MSAB_TESTS_BENCH_EVENT_CLIENT_H_
#define MSAB_TESTS_BENCH_EVENT_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "msab/v1/event_service.grpc.pb.h"

namespace msab::bench {

inline constexpr char kApiKey[] = "bench-key-0123456789abcdef-0123456789";

// An emitter: one channel, asynchronous calls. A call that is not OK ends the bench.
// Main thread only; gRPC's own threads run the callbacks.
class EventClient {
 public:
  // `port` on 127.0.0.1.
  explicit EventClient(uint16_t port);
  // Waits for the calls under way.
  ~EventClient();
  EventClient(const EventClient&) = delete;
  EventClient& operator=(const EventClient&) = delete;

  // Begins a call and returns.
  void Emit(const v1::EmitEventRequest& request);

  // The head of the stream: the number in its cursor, and the cursor.
  std::string Cursor();

  // Makes `calls` calls, `in_flight` at a time, each with the request that `next(i)` fills, while
  // the calling thread does `meanwhile` over and over. Returns when all are answered.
  void Run(size_t calls, size_t in_flight,
           const std::function<void(size_t, v1::EmitEventRequest*)>& next,
           const std::function<void()>& meanwhile);
  // The same with batches.
  void RunBatches(size_t calls, size_t in_flight,
                  const std::function<void(size_t, v1::EmitEventsRequest*)>& next);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_EVENT_CLIENT_H_
