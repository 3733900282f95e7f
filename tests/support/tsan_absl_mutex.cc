// Debian's Abseil is built without ThreadSanitizer, so to it an absl::Mutex orders nothing: every
// access that a lock protects looks like a race. Linked with --wrap (tests/CMakeLists.txt), these
// stand between our code and the library and tell ThreadSanitizer what a lock does, as the
// library's own instrumented build would. Nothing is suppressed: an access outside the lock is
// still found, and so is a lock taken in the wrong order.

#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names for what is wrapped.
#define MSAB_WRAP(result, name, ...)            \
  extern "C" result __real_##name(__VA_ARGS__); \
  extern "C" result __wrap_##name(__VA_ARGS__)

MSAB_WRAP(void, _ZN4absl7debian35Mutex4LockEv, absl::Mutex* mu) {
  __tsan_mutex_pre_lock(mu, 0);
  __real__ZN4absl7debian35Mutex4LockEv(mu);
  __tsan_mutex_post_lock(mu, 0, 0);
}

MSAB_WRAP(void, _ZN4absl7debian35Mutex6UnlockEv, absl::Mutex* mu) {
  __tsan_mutex_pre_unlock(mu, 0);
  __real__ZN4absl7debian35Mutex6UnlockEv(mu);
  __tsan_mutex_post_unlock(mu, 0);
}

MSAB_WRAP(void, _ZN4absl7debian35Mutex10ReaderLockEv, absl::Mutex* mu) {
  __tsan_mutex_pre_lock(mu, __tsan_mutex_read_lock);
  __real__ZN4absl7debian35Mutex10ReaderLockEv(mu);
  __tsan_mutex_post_lock(mu, __tsan_mutex_read_lock, 0);
}

MSAB_WRAP(void, _ZN4absl7debian35Mutex12ReaderUnlockEv, absl::Mutex* mu) {
  __tsan_mutex_pre_unlock(mu, __tsan_mutex_read_lock);
  __real__ZN4absl7debian35Mutex12ReaderUnlockEv(mu);
  __tsan_mutex_post_unlock(mu, __tsan_mutex_read_lock);
}

// Waiting for a condition: the lock is given up, and held again on return.
MSAB_WRAP(void, _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, absl::Mutex* mu,
          const absl::Condition& condition) {
  __tsan_mutex_pre_unlock(mu, 0);
  __tsan_mutex_post_unlock(mu, 0);
  __tsan_mutex_pre_lock(mu, 0);
  __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(mu, condition);
  __tsan_mutex_post_lock(mu, 0, 0);
}

MSAB_WRAP(bool, _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
          absl::Mutex* mu, const absl::Condition& condition, absl::Duration timeout) {
  __tsan_mutex_pre_unlock(mu, 0);
  __tsan_mutex_post_unlock(mu, 0);
  __tsan_mutex_pre_lock(mu, 0);
  const bool met = __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(
      mu, condition, timeout);
  __tsan_mutex_post_lock(mu, 0, 0);
  return met;
}

MSAB_WRAP(void, _ZN4absl7debian35MutexD1Ev, absl::Mutex* mu) {
  __tsan_mutex_destroy(mu, __tsan_mutex_not_static);
  __real__ZN4absl7debian35MutexD1Ev(mu);
}
// NOLINTEND(bugprone-reserved-identifier)
