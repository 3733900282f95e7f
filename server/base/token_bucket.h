#ifndef MSAB_BASE_TOKEN_BUCKET_H_
#define MSAB_BASE_TOKEN_BUCKET_H_

#include <cstddef>
#include <cstdint>

namespace msab {

// How much at once, and how much in the long run.
struct Rate {
  double burst = 1;
  double per_milli = 1;

  static Rate PerSecond(size_t burst, size_t rate) {
    return {static_cast<double>(burst), static_cast<double>(rate) / 1000};
  }
  static Rate PerMinute(size_t rate) {
    return {static_cast<double>(rate), static_cast<double>(rate) / 60'000};
  }
};

// Holds one user of a Rate to it. A plain value of 16 bytes; the rate and the time (steady ms) are
// given in. Whoever owns it says on which thread it lives.
class TokenBucket {
 public:
  // Takes one if there is one. Returns 0, or after how many ms (at least 1) there will be one.
  int64_t Take(const Rate& rate, int64_t now);

  // True if it is as good as new, so that its owner may forget it.
  bool FullAt(const Rate& rate, int64_t now) const { return UsedAt(rate, now) <= 0; }

 private:
  double UsedAt(const Rate& rate, int64_t now) const;

  double used_ = 0;  // taken, and not yet come back at since_
  int64_t since_ = 0;
};

}  // namespace msab

#endif  // MSAB_BASE_TOKEN_BUCKET_H_
