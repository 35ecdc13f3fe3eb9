#include <kestrion/actors/scheduler_metrics.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <chrono>

namespace kestrion {

namespace {

using seconds = std::chrono::duration<double>;

template <class Number>
metric_family single(const char* name, const char* help, metric_type type,
                     Number value) {
  return {name, help, type, {{.value = static_cast<double>(value)}}};
}

metric_family refusals(const scheduler_figures& x) {
  const auto sample = [](const char* why, std::uint64_t count) {
    return metric_sample{{{"reason", why}}, static_cast<double>(count)};
  };
  return {"kestrion_model_calls_refused_total",
          "Model calls that were refused without being made.",
          metric_type::counter,
          {sample("queue_full", x.refused_queue_full),
           sample("deadline", x.refused_deadline),
           sample("quota", x.refused_quota),
           sample("budget", x.refused_budget)}};
}

metric_sample histogram(const char* lane, const wait_histogram& waits) {
  metric_sample out{{{"lane", lane}}, seconds{waits.sum}.count()};
  for (std::size_t i = 0; i < wait_histogram::bounds.size(); ++i) {
    out.count += waits.counts[i];
    out.buckets.emplace_back(seconds{wait_histogram::bounds[i]}.count(),
                             out.count);
  }
  out.count += waits.counts.back();
  return out;
}

template <class Value>
metric_family of_limits(const scheduler_figures& x, const char* name,
                        const char* help, Value value) {
  metric_family out{name, help, metric_type::gauge, {}};
  for (const auto& limit : x.limits)
    out.samples.push_back(
      {{{"limit", limit.name},
        {"kind", boost::describe::enum_to_string(limit.kind, "")}},
       static_cast<double>(value(limit))});
  return out;
}

} // namespace

std::vector<metric_family> metrics_of(const scheduler_figures& x) {
  const auto counter = metric_type::counter;
  const auto gauge = metric_type::gauge;
  return {
    single("kestrion_model_calls_reserved_total",
           "Model calls that asked for a permit.", counter, x.reserved),
    single("kestrion_model_calls_granted_total",
           "Model calls that got a permit.", counter, x.granted),
    single("kestrion_model_calls_committed_total",
           "Model calls that were answered.", counter, x.committed),
    single("kestrion_model_calls_released_total",
           "Model calls that failed, or whose run ended.", counter, x.released),
    single("kestrion_model_calls_cancelled_total",
           "Model calls that were given up while they waited.", counter,
           x.cancelled),
    single("kestrion_model_calls_throttled_total",
           "Model calls that a server refused for a limit.", counter,
           x.throttled),
    single("kestrion_limit_pauses_total",
           "Pauses of a limit because a server said so.", counter, x.pauses),
    refusals(x),
    single("kestrion_estimated_tokens_total",
           "Tokens reserved for calls that were answered.", counter,
           x.estimated_tokens),
    single("kestrion_actual_tokens_total", "Tokens that the same calls used.",
           counter, x.actual_tokens),
    single("kestrion_model_calls_waiting", "Model calls that wait.", gauge,
           x.waiting),
    single("kestrion_model_calls_in_flight", "Model calls under way.", gauge,
           x.in_flight),
    {"kestrion_model_call_wait_seconds",
     "From asking for a permit to getting it.",
     metric_type::histogram,
     {histogram("batch", x.batch_wait),
      histogram("interactive", x.interactive_wait)}},
    of_limits(x, "kestrion_limit_amount", "What a limit allows in a period.",
              [](const limit_figures& l) { return l.amount; }),
    of_limits(x, "kestrion_limit_available", "What is left of a limit now.",
              [](const limit_figures& l) { return l.available; }),
    of_limits(x, "kestrion_limit_in_flight",
              "Model calls under way that count for a limit.",
              [](const limit_figures& l) { return l.in_flight; }),
    of_limits(x, "kestrion_limit_paused", "1 while a server's pause lasts.",
              [](const limit_figures& l) { return l.paused ? 1 : 0; }),
  };
}

} // namespace kestrion
