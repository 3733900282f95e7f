#ifndef MSAB_ADMIN_METRICS_H_
#define MSAB_ADMIN_METRICS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "server/http/http_server.h"

namespace msab {

// The metrics of one scrape, family by family. One thread.
class MetricFamilies {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // A value that only grows; `name` ends in _total.
  void Counter(const std::string& name, const std::string& help, double value,
               const Labels& labels = {});
  // A value that is now so.
  void Gauge(const std::string& name, const std::string& help, double value,
             const Labels& labels = {});

  std::vector<prometheus::MetricFamily> Take() && { return std::move(families_); }

 private:
  prometheus::ClientMetric& Add(const std::string& name, const std::string& help,
                                prometheus::MetricType type, const Labels& labels);

  std::vector<prometheus::MetricFamily> families_;
};

// All metrics of the relay, gathered at each scrape from sources that know their own: nothing is
// counted twice, and nothing is locked while events pass. Names begin with msab_; labels have
// bounded sets of values (the contract's events, codes, causes), never an id.
//
// Sources are added before the HTTP server starts. Owned by the Relay; outlives the HttpServer.
class Metrics final : public prometheus::Collectable {
 public:
  // Runs on the HTTP server's thread at every scrape.
  using Source = std::function<void(MetricFamilies&)>;

  void Add(Source source);

  std::vector<prometheus::MetricFamily> Collect() const override;

  // What a scrape gets: Prometheus' text format.
  std::string Text() const;

  // GET /metrics; no key is asked for.
  HttpRoute Route() const;

 private:
  // Constant once served
  std::vector<Source> sources_;
};

}  // namespace msab

#endif  // MSAB_ADMIN_METRICS_H_
