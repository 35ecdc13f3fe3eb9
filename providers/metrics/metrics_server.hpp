#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Numbers for monitoring, over HTTP.
namespace kestrion {

enum class metric_type : std::uint8_t {
  counter, ///< Only ever grows.
  gauge,
  histogram,
};

/// One number of a family; its labels tell it from the others.
struct metric_sample {
  std::map<std::string, std::string> labels = {};
  double value = 0; ///< Of a histogram: the sum of all that was observed.
  /// Of a histogram: upper bounds, ascending, and how many were at most that.
  std::vector<std::pair<double, std::uint64_t>> buckets = {};
  std::uint64_t count = 0; ///< Of a histogram: all.
};

/// Samples of one name.
struct metric_family {
  std::string name; ///< a-z, digits and _; as Prometheus names them.
  std::string help;
  metric_type type = metric_type::gauge;
  std::vector<metric_sample> samples;
};

/// Serves what a function says in Prometheus' text format, at `/metrics`.
class metrics_server {
public:
  /// Called for each request, on the server's thread; may block.
  using source = std::function<std::vector<metric_family>()>;

  /// Listens before it returns.
  /// @param address  "127.0.0.1:9464"; port 0 takes a free one.
  /// @throws failure  `invalid_argument`: it is no address and port; `io`: it
  ///   can't listen there.
  metrics_server(const std::string& address, source collect);

  /// Waits for answers that are being made.
  ~metrics_server();
  metrics_server(const metrics_server&) = delete;
  metrics_server& operator=(const metrics_server&) = delete;

  int port() const; ///< The one it listens on.

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace kestrion
