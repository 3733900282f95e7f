#include "tests/bench/report.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace msab::bench {
namespace {

std::string Figure(double value) {
  const int decimals = value < 10 ? 3 : value < 1'000 ? 1 : 0;
  return absl::StrFormat("%.*f", decimals, value);
}

}  // namespace

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Pairs Measure(size_t count, const std::function<double()>& relay,
              const std::function<double()>& baseline) {
  Pairs pairs;
  for (size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) pairs.baseline.push_back(baseline());
    pairs.relay.push_back(relay());
    if (i % 2 == 1) pairs.baseline.push_back(baseline());
  }
  return pairs;
}

void PrintHead() {
  absl::PrintF("%-48s %9s %9s %-5s %7s %15s %7s  %s\n", "measure", "relay", "baseline", "unit",
               "ratio", "spread", "goal", "verdict; baseline");
  std::fflush(stdout);
}

void PrintLine(const Line& line) {
  const bool compared = !line.pairs.baseline.empty();
  std::vector<double> judged = line.pairs.relay;
  if (compared) {
    for (size_t i = 0; i < judged.size(); ++i) judged[i] /= line.pairs.baseline[i];
  }
  const double median = Median(judged);
  const auto [low, high] = std::minmax_element(judged.begin(), judged.end());
  const std::string verdict =
      median <= line.goal ? "met"
      : line.goal == 0    ? "missed"
                          : absl::StrFormat("missed by %.0f %%", 100 * (median / line.goal - 1));
  absl::PrintF("%-48s %9s %9s %-5s %7s %15s %7s  %s\n", line.measure,
               Figure(Median(line.pairs.relay)),
               compared ? Figure(Median(line.pairs.baseline)) : "", line.unit,
               compared ? Figure(median) : "", Figure(*low) + "…" + Figure(*high),
               Figure(line.goal), verdict + (compared ? "; " + line.against : ""));
  std::fflush(stdout);
}

}  // namespace msab::bench
