#include "tests/bench/cores.h"

#include "tests/bench/fail.h"

namespace msab::bench {

Cores DivideCores() {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) != 0) Fail("sched_getaffinity failed");
  if (CPU_COUNT(&usable) < 2) Fail("needs two cores: one for the server, one for the load");
  Cores cores;
  CPU_ZERO(&cores.server);
  cores.load = usable;
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &usable)) --last;
  CPU_SET(last, &cores.server);
  CPU_CLR(last, &cores.load);
  if (sched_setaffinity(0, sizeof(cores.load), &cores.load) != 0) Fail("sched_setaffinity failed");
  return cores;
}

}  // namespace msab::bench
