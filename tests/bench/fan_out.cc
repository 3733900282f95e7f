#include "tests/bench/fan_out.h"

#include <utility>

namespace msab::bench {

FanOut::FanOut(Crowd& crowd, std::function<void()> emit) : crowd_(crowd), emit_(std::move(emit)) {
  crowd_.OnEvent([this](uint64_t sequence) { OnEvent(sequence); });
}

void FanOut::OnEvent(uint64_t sequence) {
  if (first_ == 0) first_ = sequence;
  const size_t index = sequence - first_;
  if (index >= arrived_.size()) arrived_.resize(index + 1);
  if (++arrived_[index] == crowd_.size()) ++completed_;
  if (latencies_ != nullptr) {
    latencies_->push_back(
        std::chrono::duration<double, std::micro>(crowd_.received_at() - emitted_at_).count());
  }
}

void FanOut::Emit() {
  emitted_at_ = std::chrono::steady_clock::now();
  ++emitted_;
  emit_();
}

void FanOut::AwaitCompleted(size_t events) {
  while (completed_ < events) crowd_.Poll();
}

void FanOut::OneAtATime(size_t events, std::vector<double>* latencies) {
  latencies_ = latencies;
  for (size_t i = 0; i < events; ++i) {
    Emit();
    AwaitCompleted(emitted_);
  }
  latencies_ = nullptr;
}

void FanOut::Closed(size_t in_flight, size_t events) {
  const size_t begun = emitted_;
  while (emitted_ < begun + events) {
    while (emitted_ < begun + events && emitted_ - completed_ < in_flight) Emit();
    // One pass over what has arrived: a completed event is replaced before the next.
    const size_t before = completed_;
    while (completed_ == before) crowd_.Poll();
  }
  AwaitCompleted(emitted_);
}

}  // namespace msab::bench
