#include "tests/bench/probe_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/bench/fail.h"

namespace msab::bench {

ProbeFile::ProbeFile(const std::string& path) : path_(path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(Counts)) != 0) Fail("cannot write " + path);
  void* memory = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) Fail("cannot map " + path);
  counts_ = static_cast<Counts*>(memory);
}

ProbeFile::~ProbeFile() { munmap(counts_, sizeof(Counts)); }

std::map<std::string, std::string> ProbeFile::Environment() const {
  return {{"LD_PRELOAD", MSAB_BENCH_PROBE_LIBRARY}, {kCountsVariable, path_}, {kPortVariable, ""}};
}

}  // namespace msab::bench
