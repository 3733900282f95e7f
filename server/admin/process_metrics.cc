#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "server/admin/metric_sources.h"

namespace msab {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void CollectProcess(MetricFamilies& families) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  families.Counter("msab_process_cpu_seconds_total", "CPU time, user and system.",
                   Seconds(usage.ru_utime) + Seconds(usage.ru_stime));

  // Second field of statm: resident pages.
  double pages = 0;
  double resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  families.Gauge("msab_process_resident_memory_bytes", "Resident memory.",
                 resident * static_cast<double>(sysconf(_SC_PAGESIZE)));

  std::error_code error;
  double open = 0;
  for (auto fd = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && fd != std::filesystem::directory_iterator(); fd.increment(error)) {
    ++open;
  }
  families.Gauge("msab_process_open_fds", "File descriptors open.", open);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  families.Gauge("msab_process_max_fds", "File descriptors allowed.",
                 static_cast<double>(limit.rlim_cur));
}

}  // namespace msab
