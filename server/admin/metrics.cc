#include "server/admin/metrics.h"

#include <algorithm>

#include "prometheus/text_serializer.h"

namespace msab {

prometheus::ClientMetric& MetricFamilies::Add(const std::string& name, const std::string& help,
                                              prometheus::MetricType type, const Labels& labels) {
  auto family = std::find_if(families_.rbegin(), families_.rend(),
                             [&](const auto& known) { return known.name == name; });
  if (family == families_.rend()) {
    families_.push_back({name, help, type, {}});
    family = families_.rbegin();
  }
  prometheus::ClientMetric& metric = family->metric.emplace_back();
  for (const auto& [key, value] : labels) metric.label.push_back({key, value});
  return metric;
}

void MetricFamilies::Counter(const std::string& name, const std::string& help, double value,
                             const Labels& labels) {
  Add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricFamilies::Gauge(const std::string& name, const std::string& help, double value,
                           const Labels& labels) {
  Add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void Metrics::Add(Source source) { sources_.push_back(std::move(source)); }

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  MetricFamilies families;
  for (const Source& source : sources_) source(families);
  return std::move(families).Take();
}

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(Collect()); }

HttpRoute Metrics::Route() const {
  return {"GET", "/metrics", nullptr, [this](const HttpRequest&, HttpReply reply) {
            reply({200, Text(), "text/plain; version=0.0.4; charset=utf-8", {}});
          }};
}

}  // namespace msab
