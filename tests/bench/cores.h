#ifndef MSAB_TESTS_BENCH_CORES_H_
#define MSAB_TESTS_BENCH_CORES_H_

#include <sched.h>

namespace msab::bench {

// The machine, divided: one core for the server under test, the rest for the load.
struct Cores {
  cpu_set_t server;
  cpu_set_t load;
};

// Divides what this process may use, and moves it to the load's part. Fails on a single core.
Cores DivideCores();

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_CORES_H_
