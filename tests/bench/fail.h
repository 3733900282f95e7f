#ifndef MSAB_TESTS_BENCH_FAIL_H_
#define MSAB_TESTS_BENCH_FAIL_H_

#include <cstdio>
#include <cstdlib>
#include <string>

namespace msab::bench {

// A bench that cannot go on says why and ends: no figure is better than a wrong one. Children die
// with it.
[[noreturn]] inline void Fail(const std::string& why) {
  std::fprintf(stderr, "msab_bench: %s\n", why.c_str());
  std::_Exit(1);
}

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_FAIL_H_
