#include "server/shard/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace msab::test {
namespace {

constexpr int64_t kTick = TimerWheel::kTickMillis;

class Timer final : public TimerNode {
 public:
  explicit Timer(std::function<void(int64_t)> fire = [](int64_t) {}) : fire_(std::move(fire)) {}
  void OnTimer(int64_t now) override {
    EXPECT_FALSE(scheduled());
    fired_at.push_back(now);
    fire_(now);
  }
  std::vector<int64_t> fired_at;

 private:
  std::function<void(int64_t)> fire_;
};

TEST(TimerWheel, FiresNeverEarlyAndAtMostATickLate) {
  const int64_t start = 1'000'003;
  TimerWheel wheel(start);
  std::vector<std::unique_ptr<Timer>> timers;
  // Beyond a turn of the wheel (51.2 s), too.
  for (int64_t delay = 0; delay < 120'000; delay += 7) {
    timers.push_back(std::make_unique<Timer>());
    wheel.Schedule(*timers.back(), start + delay);
    EXPECT_TRUE(timers.back()->scheduled());
    EXPECT_EQ(timers.back()->deadline(), start + delay);
  }
  for (int64_t now = start; now < start + 121'000; now += 11) wheel.Advance(now);
  int64_t delay = 0;
  for (const auto& timer : timers) {
    ASSERT_EQ(timer->fired_at.size(), 1u) << delay;
    EXPECT_GE(timer->fired_at[0], start + delay);
    // A tick, and what the caller's own steps of 11 ms add.
    EXPECT_LE(timer->fired_at[0], start + delay + kTick + 11) << delay;
    EXPECT_FALSE(timer->scheduled());
    delay += 7;
  }
}

TEST(TimerWheel, FiresADeadlineInThePastAtTheNextTick) {
  TimerWheel wheel(10'000);
  Timer timer;
  wheel.Schedule(timer, 3);
  wheel.Advance(10'000 + kTick);
  EXPECT_EQ(timer.fired_at.size(), 1u);
}

TEST(TimerWheel, FiresEverythingDueAfterALongSleep) {
  TimerWheel wheel(0);
  std::vector<std::unique_ptr<Timer>> timers;
  for (int64_t at = 1; at < 200'000; at += 1000) {
    timers.push_back(std::make_unique<Timer>());
    wheel.Schedule(*timers.back(), at);
  }
  wheel.Advance(150'000);
  for (const auto& timer : timers) {
    EXPECT_EQ(timer->fired_at.size(), timer->deadline() <= 150'000 ? 1u : 0u) << timer->deadline();
  }
  wheel.Advance(200'000);
  for (const auto& timer : timers) EXPECT_EQ(timer->fired_at.size(), 1u) << timer->deadline();
}

TEST(TimerWheel, TakesTheLastScheduleOnly) {
  TimerWheel wheel(0);
  Timer timer;
  wheel.Schedule(timer, 100);
  wheel.Schedule(timer, 1000);
  wheel.Advance(900);
  EXPECT_TRUE(timer.fired_at.empty());
  wheel.Schedule(timer, 950);
  wheel.Advance(1000);
  EXPECT_EQ(timer.fired_at, std::vector<int64_t>{1000});
  wheel.Advance(100'000);
  EXPECT_EQ(timer.fired_at.size(), 1u);
}

TEST(TimerWheel, LetsATimerScheduleItselfWhileItFires) {
  TimerWheel wheel(0);
  Timer* self = nullptr;
  Timer timer([&](int64_t now) { wheel.Schedule(*self, now + 200); });
  self = &timer;
  wheel.Schedule(timer, 200);
  for (int64_t now = 0; now <= 2000; now += 10) wheel.Advance(now);
  EXPECT_EQ(timer.fired_at,
            (std::vector<int64_t>{200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000}));
}

// A whole turn later is the same slot.
TEST(TimerWheel, LetsATimerScheduleItselfIntoTheSlotThatFires) {
  TimerWheel wheel(0);
  Timer* self = nullptr;
  Timer timer([&](int64_t now) { wheel.Schedule(*self, now + 1024 * kTick); });
  self = &timer;
  wheel.Schedule(timer, 500);
  wheel.Advance(500);
  EXPECT_EQ(timer.fired_at.size(), 1u);
  wheel.Advance(500 + 1024 * kTick - kTick);
  EXPECT_EQ(timer.fired_at.size(), 1u);
  wheel.Advance(500 + 1024 * kTick);
  EXPECT_EQ(timer.fired_at.size(), 2u);
}

TEST(TimerWheel, LetsATimerDestroyItselfAndOthersWhileItFires) {
  TimerWheel wheel(0);
  std::vector<std::unique_ptr<Timer>> timers(5);
  int fired = 0;
  for (size_t i = 0; i < timers.size(); ++i) {
    timers[i] = std::make_unique<Timer>([&](int64_t) {
      ++fired;
      // Whoever fires first ends itself, both neighbours that are due with it, and a later one.
      for (auto& timer : timers) timer.reset();
    });
    wheel.Schedule(*timers[i], i < 4 ? 100 : 5000);
  }
  wheel.Advance(100);
  EXPECT_EQ(fired, 1);
  wheel.Advance(10'000);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, LetsATimerMoveOthersThatAreDueWithIt) {
  TimerWheel wheel(0);
  Timer second;
  Timer first([&](int64_t now) { wheel.Schedule(second, now + 300); });
  wheel.Schedule(first, 100);
  wheel.Schedule(second, 100);
  wheel.Advance(100);
  EXPECT_EQ(first.fired_at.size(), 1u);
  EXPECT_TRUE(second.fired_at.empty());
  wheel.Advance(400);
  EXPECT_EQ(second.fired_at, std::vector<int64_t>{400});
}

TEST(TimerWheel, ForgetsADestroyedTimer) {
  TimerWheel wheel(0);
  Timer before;
  Timer after;
  wheel.Schedule(before, 100);
  {
    Timer gone;
    wheel.Schedule(gone, 100);
    wheel.Schedule(after, 100);
  }
  wheel.Advance(100);
  EXPECT_EQ(before.fired_at.size(), 1u);
  EXPECT_EQ(after.fired_at.size(), 1u);
}

TEST(TimerWheel, LeavesTimersThatOutliveItAlone) {
  Timer first;
  Timer second;
  {
    TimerWheel wheel(0);
    wheel.Schedule(first, 100);
    wheel.Schedule(second, 100);
  }
}

// Schedules, moves and destroys at random, against a plain list of deadlines.
TEST(TimerWheel, KeepsItsPromiseUnderRandomUse) {
  std::mt19937 random(7);
  int64_t now = 12'345;
  TimerWheel wheel(now);
  std::vector<std::unique_ptr<Timer>> timers;
  std::vector<int64_t> due;  // 0: not scheduled
  for (int step = 0; step < 20'000; ++step) {
    const size_t i = random() % 64;
    if (i >= timers.size()) {
      timers.push_back(std::make_unique<Timer>());
      due.push_back(0);
    } else if (random() % 8 == 0) {
      timers[i] = std::make_unique<Timer>();
      due[i] = 0;
    } else {
      due[i] = now + static_cast<int64_t>(random() % 130'000);
      wheel.Schedule(*timers[i], due[i]);
    }
    now += random() % 50 == 0 ? static_cast<int64_t>(random() % 90'000)
                              : static_cast<int64_t>(random() % 60);
    wheel.Advance(now);
    for (size_t k = 0; k < timers.size(); ++k) {
      if (timers[k]->fired_at.empty()) {
        ASSERT_TRUE(due[k] == 0 || due[k] > now - kTick) << "overdue";
        continue;
      }
      ASSERT_EQ(timers[k]->fired_at, std::vector<int64_t>{now});
      ASSERT_NE(due[k], 0);
      ASSERT_LE(due[k], now) << "early";
      timers[k]->fired_at.clear();
      due[k] = 0;
    }
  }
}

}  // namespace
}  // namespace msab::test
