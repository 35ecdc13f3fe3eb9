#pragma once

#include <kestrion/providers/metrics/metrics_server.hpp>
#include <kestrion/scheduler/scheduler_figures.hpp>

#include <vector>

namespace kestrion {

/// What a scheduler counts, named as Prometheus wants it: seconds, `_total` for
/// counters, one family for what only differs in a label.
std::vector<metric_family> metrics_of(const scheduler_figures& figures);

} // namespace kestrion
