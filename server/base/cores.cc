#include "server/base/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace msab {
namespace {

// What the kernel calls our cgroup: the line "0::/path" of /proc/self/cgroup.
std::string OwnGroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return "/";
}

// cgroup version 1 shows a container its own quota at the root of its mount.
double QuotaOfVersion1() {
  double quota = 0;
  double period = 0;
  std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
  std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? quota / period : 0;
}

}  // namespace

double CgroupQuota(const std::string& root, std::string group) {
  double least = 0;
  while (true) {
    // "max 100000", or the quota and its period in microseconds.
    std::string quota_text;
    double period = 0;
    std::ifstream file(root + group + "/cpu.max");
    if (file >> quota_text >> period && quota_text != "max" && period > 0) {
      const double cores = std::strtod(quota_text.c_str(), nullptr) / period;
      if (cores > 0 && (least == 0 || cores < least)) least = cores;
    }
    if (group.empty()) return least;
    const size_t slash = group.rfind('/');
    group.resize(slash == std::string::npos ? 0 : slash);
  }
}

int UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // Fails only where there are more cores than a cpu_set_t holds: more than shards are of use.
  int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : CPU_SETSIZE;
  for (const double quota : {CgroupQuota("/sys/fs/cgroup", OwnGroup()), QuotaOfVersion1()}) {
    if (quota > 0) cores = std::min(cores, static_cast<int>(std::ceil(quota)));
  }
  return std::max(1, cores);
}

}  // namespace msab
