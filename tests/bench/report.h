#ifndef MSAB_TESTS_BENCH_REPORT_H_
#define MSAB_TESTS_BENCH_REPORT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace msab::bench {

double Median(std::vector<double> values);

// The relay and its baseline, measured in alternation.
struct Pairs {
  std::vector<double> relay;
  std::vector<double> baseline;
};

// Measures `count` pairs; which of the two goes first alternates.
Pairs Measure(size_t count, const std::function<double()>& relay,
              const std::function<double()>& baseline);

// A line of the table.
struct Line {
  std::string measure;
  std::string unit;
  double goal = 0;      // for the ratio if there are baselines, else for the value itself
  std::string against;  // what the baseline is
  Pairs pairs;          // no baselines: the values stand alone
};

// Prints the table's head, or a line of it as soon as it is known.
void PrintHead();
void PrintLine(const Line& line);

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_REPORT_H_
