#ifndef MSAB_TESTS_BENCH_PROBE_COUNTS_H_
#define MSAB_TESTS_BENCH_PROBE_COUNTS_H_

#include <atomic>
#include <cstdint>

namespace msab::bench {

// What the probe has counted, in memory shared by the observed process and the bench: a file, named
// by kCountsVariable, that both map. Any thread of either.
struct Counts {
  std::atomic<uint64_t> allocations;  // malloc and its relatives, hence also operator new
  std::atomic<uint64_t> writes;       // system calls that send on a connection of the observed port
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

// Environment of the observed process: the file, and the port whose connections count.
inline constexpr char kCountsVariable[] = "BENCH_PROBE_FILE";
inline constexpr char kPortVariable[] = "BENCH_PROBE_PORT";

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_PROBE_COUNTS_H_
