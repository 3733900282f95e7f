#ifndef MSAB_TESTS_BENCH_CHILD_H_
#define MSAB_TESTS_BENCH_CHILD_H_

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace msab::bench {

// A process under measurement, pinned to its core before it runs; dies with the bench. Its end of a
// socket pair is descriptor 3 there (`kControlFd`): how the baselines are told what to do.
// Main thread only.
class Child {
 public:
  static constexpr int kControlFd = 3;

  // `environment` is added to this process's, of which MSAB_* is left out. Standard error goes to
  // `log`, a path.
  Child(const std::vector<std::string>& command,
        const std::map<std::string, std::string>& environment, const cpu_set_t& cores,
        const std::string& log);
  // SIGKILL.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Processor time used so far by all its threads, in microseconds.
  double Cpu() const;

  // Bytes resident and not shared with another process.
  uint64_t PrivateMemory() const;

  // Waits until it has used next to no processor time for a while.
  void AwaitQuiet() const;

  // Fails, with the log's end, if it has ended.
  void CheckAlive() const;

  int control() const { return control_; }

 private:
  // Constant after construction
  pid_t pid_ = -1;
  clockid_t clock_ = 0;
  int control_ = -1;
  std::string log_;
};

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_CHILD_H_
