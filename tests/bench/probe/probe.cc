// Preloaded (LD_PRELOAD) into the relay by the rows that count: stands before malloc and before the
// system calls that send, and counts them in memory shared with the bench. Used only where nothing
// is timed.
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "counts.h"

namespace {

using msab::bench::Counts;

Counts* counts = nullptr;
in_port_t observed_port = 0;

__attribute__((constructor)) void Attach() {
  // Before main: there is no other thread yet.
  const char* path = std::getenv(msab::bench::kCountsVariable);  // NOLINT(concurrency-mt-unsafe)
  const char* port = std::getenv(msab::bench::kPortVariable);    // NOLINT(concurrency-mt-unsafe)
  if (path == nullptr || port == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* memory = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return;
  observed_port = htons(static_cast<in_port_t>(std::strtol(port, nullptr, 10)));
  counts = static_cast<Counts*>(memory);
}

void CountAllocation() {
  if (counts != nullptr) counts->allocations.fetch_add(1, std::memory_order_relaxed);
}

void CountWrite(int fd) {
  if (counts == nullptr) return;
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  if (address.sin_family != AF_INET || address.sin_port != observed_port) return;
  counts->writes.fetch_add(1, std::memory_order_relaxed);
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// An allocator may have an operator new that does not come by malloc. What these two give back is
// the allocator's own, so its free and delete stay.
void* NextMalloc(size_t size) {
  static const auto next = Next<void* (*)(size_t)>("malloc");
  CountAllocation();
  return next(size);
}

void* NextMemalign(size_t alignment, size_t size) {
  static const auto next = Next<void* (*)(size_t, size_t)>("memalign");
  CountAllocation();
  return next(alignment, size);
}

}  // namespace

void* operator new(size_t size) { return NextMalloc(size); }
void* operator new[](size_t size) { return NextMalloc(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return NextMalloc(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return NextMalloc(size); }
void* operator new(size_t size, std::align_val_t alignment) {
  return NextMemalign(static_cast<size_t>(alignment), size);
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return NextMemalign(static_cast<size_t>(alignment), size);
}

extern "C" {

void* malloc(size_t size) { return NextMalloc(size); }

void* calloc(size_t count, size_t size) {
  static const auto next = Next<void* (*)(size_t, size_t)>("calloc");
  CountAllocation();
  return next(count, size);
}

void* realloc(void* block, size_t size) {
  static const auto next = Next<void* (*)(void*, size_t)>("realloc");
  CountAllocation();
  return next(block, size);
}

void* memalign(size_t alignment, size_t size) { return NextMemalign(alignment, size); }

void* aligned_alloc(size_t alignment, size_t size) { return NextMemalign(alignment, size); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = NextMemalign(alignment, size);
  return *block == nullptr ? 12 /* ENOMEM */ : 0;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto next = Next<ssize_t (*)(int, const void*, size_t)>("write");
  CountWrite(fd);
  return next(fd, bytes, size);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static const auto next = Next<ssize_t (*)(int, const iovec*, int)>("writev");
  CountWrite(fd);
  return next(fd, parts, count);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  static const auto next = Next<ssize_t (*)(int, const void*, size_t, int)>("send");
  CountWrite(fd);
  return next(fd, bytes, size, flags);
}

ssize_t sendto(int fd, const void* bytes, size_t size, int flags, const sockaddr* to,
               socklen_t to_size) {
  static const auto next =
      Next<ssize_t (*)(int, const void*, size_t, int, const sockaddr*, socklen_t)>("sendto");
  CountWrite(fd);
  return next(fd, bytes, size, flags, to, to_size);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  static const auto next = Next<ssize_t (*)(int, const msghdr*, int)>("sendmsg");
  CountWrite(fd);
  return next(fd, message, flags);
}

}  // extern "C"
