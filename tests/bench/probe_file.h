#ifndef MSAB_TESTS_BENCH_PROBE_FILE_H_
#define MSAB_TESTS_BENCH_PROBE_FILE_H_

#include <map>
#include <string>

#include "tests/bench/probe/counts.h"

namespace msab::bench {

// The counts of one observed relay, shared with it through a file. Main thread only.
class ProbeFile {
 public:
  explicit ProbeFile(const std::string& path);
  ~ProbeFile();
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;

  // What a relay's environment needs to be observed; the relay fills in its port.
  std::map<std::string, std::string> Environment() const;

  const Counts& counts() const { return *counts_; }

 private:
  // Constant after construction
  std::string path_;
  Counts* counts_;
};

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_PROBE_FILE_H_
