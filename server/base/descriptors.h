#ifndef MSAB_BASE_DESCRIPTORS_H_
#define MSAB_BASE_DESCRIPTORS_H_

#include <cstddef>

namespace msab {

// Lets the process have as many descriptors as it may (RLIMIT_NOFILE: the soft limit becomes the
// hard one), and returns how many that are; 0: no limit. Main thread, before others start.
size_t RaiseDescriptorLimit();

// How a process's descriptors are shared out. What clients may not have is the house's own: the
// internal ports, the webhook, files. It must never run out: gRPC's listener ends for good at the
// first accept that finds no descriptor (seen with 1.51).
struct DescriptorShares {
  size_t connections = 0;  // clients that may be let in; 0: no limit
  size_t sockets = 0;      // and, with them, those who are told that they may not; 0: no limit
};

// `descriptors`: of the process, 0: no limit.
DescriptorShares ShareDescriptors(size_t descriptors);

}  // namespace msab

#endif  // MSAB_BASE_DESCRIPTORS_H_
