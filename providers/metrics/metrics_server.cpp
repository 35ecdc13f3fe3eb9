#include <kestrion/providers/metrics/metrics_server.hpp>

#include <kestrion/messages/error.hpp>

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <limits>

namespace kestrion {

namespace {

prometheus::MetricType type_of(metric_type type) {
  switch (type) {
    case metric_type::counter: return prometheus::MetricType::Counter;
    case metric_type::gauge: return prometheus::MetricType::Gauge;
    case metric_type::histogram: break;
  }
  return prometheus::MetricType::Histogram;
}

prometheus::ClientMetric metric_of(metric_type type,
                                   const metric_sample& sample) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : sample.labels)
    out.label.push_back({name, value});
  out.counter.value = sample.value;
  out.gauge.value = sample.value;
  if (type != metric_type::histogram)
    return out;
  out.histogram.sample_count = sample.count;
  out.histogram.sample_sum = sample.value;
  for (const auto& [bound, count] : sample.buckets)
    out.histogram.bucket.push_back({count, bound});
  out.histogram.bucket.push_back(
    {sample.count, std::numeric_limits<double>::infinity()});
  return out;
}

class collector final : public prometheus::Collectable {
public:
  explicit collector(metrics_server::source collect)
    : collect_(std::move(collect)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> out;
    for (const auto& family : collect_()) {
      auto& each = out.emplace_back();
      each.name = family.name;
      each.help = family.help;
      each.type = type_of(family.type);
      for (const auto& sample : family.samples)
        each.metric.push_back(metric_of(family.type, sample));
    }
    return out;
  }

private:
  metrics_server::source collect_;
};

void check(const std::string& address) {
  const auto colon = address.rfind(':');
  const auto port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const bool is_port = !port.empty() && port.size() <= 5
                       && std::all_of(port.begin(), port.end(), [](char c) {
                            return c >= '0' && c <= '9';
                          });
  // The library would take commas and more for options of its own.
  const bool is_host =
    colon != std::string::npos && colon > 0
    && std::all_of(address.begin(), address.begin() + std::ptrdiff_t(colon),
                   [](char c) {
                     return (c >= '0' && c <= '9') || c == '.' || c == ':'
                            || c == '[' || c == ']' || (c >= 'a' && c <= 'f');
                   });
  if (!is_port || !is_host)
    throw failure(
      {errc::invalid_argument, "the address for metrics is \"" + address
                                 + "\"; expected one like 127.0.0.1:9464"});
}

} // namespace

struct metrics_server::impl {
  std::shared_ptr<collector> collect;
  std::unique_ptr<prometheus::Exposer> exposer;
};

metrics_server::metrics_server(const std::string& address, source collect)
  : impl_(std::make_unique<impl>()) {
  check(address);
  impl_->collect = std::make_shared<collector>(std::move(collect));
  try {
    impl_->exposer = std::make_unique<prometheus::Exposer>(address, 1);
  } catch (const std::exception& e) {
    throw failure(
      {errc::io, "metrics can't be served at " + address + ": " + e.what()});
  }
  impl_->exposer->RegisterCollectable(impl_->collect);
}

metrics_server::~metrics_server() = default;

int metrics_server::port() const {
  return impl_->exposer->GetListeningPorts().front();
}

} // namespace kestrion
