#ifndef MSAB_BASE_CLOCK_H_
#define MSAB_BASE_CLOCK_H_

#include <cstdint>

namespace msab {

// Where every part of the relay gets the time from, so that a test can hold it in its hand.
// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // Milliseconds since 1970-01-01T00:00Z. May jump. For what the wire and tokens speak of.
  virtual int64_t WallMillis() const = 0;

  // Milliseconds from an arbitrary start; never goes back. For every interval and deadline.
  virtual int64_t SteadyMillis() const = 0;

  // The machine's clock. Never destroyed.
  static const Clock& Real();
};

// A clock that moves when a test says so.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t wall_millis = 1'767'225'600'000) : wall_(wall_millis) {}
  int64_t WallMillis() const override { return wall_; }
  int64_t SteadyMillis() const override { return steady_; }
  void Advance(int64_t millis) {
    wall_ += millis;
    steady_ += millis;
  }

 private:
  int64_t wall_;
  int64_t steady_ = 1'000'000;
};

}  // namespace msab

#endif  // MSAB_BASE_CLOCK_H_
