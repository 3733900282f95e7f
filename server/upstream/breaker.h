#ifndef MSAB_UPSTREAM_BREAKER_H_
#define MSAB_UPSTREAM_BREAKER_H_

#include <cstdint>

namespace msab {

// Keeps us from asking again and again what is answered with a flat no: after one nothing passes
// for a while, then one at a time until one is answered otherwise. Told the time (steady ms). One
// thread.
class Breaker {
 public:
  explicit Breaker(int64_t open_ms) : open_ms_(open_ms) {}

  // A flat no. Returns whether that is news.
  bool Trip(int64_t now) {
    open_until_ = now + open_ms_;
    const bool news = !tripped_;
    tripped_ = true;
    return news;
  }
  // Any other answer. Returns whether that is news.
  bool Reset() {
    const bool news = tripped_;
    tripped_ = false;
    return news;
  }

  // From the first no to the first other answer.
  bool tripped() const { return tripped_; }
  // Nothing passes.
  bool open(int64_t now) const { return tripped_ && now < open_until_; }
  int64_t open_until() const { return open_until_; }

 private:
  const int64_t open_ms_;
  bool tripped_ = false;
  int64_t open_until_ = 0;
};

}  // namespace msab

#endif  // MSAB_UPSTREAM_BREAKER_H_
