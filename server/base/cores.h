#ifndef MSAB_BASE_CORES_H_
#define MSAB_BASE_CORES_H_

#include <string>

namespace msab {

// How many cores this process may keep busy: its CPU affinity, or what the cgroups it is in allow
// (rounded up), whichever is less; at least 1. Any thread.
int UsableCores();

// The least CPU quota, in cores, of the cgroup (version 2) at `group`, such as
// "/system.slice/relay.service", and of those above it; 0 if none is set. `root` is where the
// hierarchy is mounted.
double CgroupQuota(const std::string& root, std::string group);

}  // namespace msab

#endif  // MSAB_BASE_CORES_H_
