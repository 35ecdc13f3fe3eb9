/// How much of a server's limit runs use, how fairly, and how often it has to
/// refuse them: 1,000 runs of 20 tenants that want five times of it, and urgent
/// ones beside, against a server that enforces its limit to the letter, as a
/// token bucket and as fixed windows. First the scheduler alone, in virtual
/// time; then all of it in real time against a server on loopback, and the same
/// load without a scheduler: each run backs off by itself, exponentially, as
/// Kestrion does after any failure.
///
/// usage: bench_rate_limit [SECONDS] [--plots FOLDER]   (60, without)
/// SECONDS are rounded up to whole periods of 10.

#include "figures.hpp"
#include "rate_limit_load.hpp"
#include "svg_plot.hpp"

#include <kestrion/tests/scheduler/load.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using bench::rate_limit_load;
using bench::rate_limit_record;
using kestrion::limit_kind;
using kestrion::limit_shape;

const char* name_of(limit_shape shape) {
  return shape == limit_shape::continuous ? "token bucket" : "fixed windows";
}

double in_ms(kestrion::duration d) {
  return bench::rounded(static_cast<double>(d.count()) / 1'000, 1);
}

/// What each tenant got, by its number.
using shares = std::vector<double>;

/// Jain's index between tenants of the same weight: the least of the weights; 0
/// if those of a weight got nothing.
double jain(const shares& got) {
  double least = 1;
  for (std::size_t weight = 0; weight < 3; ++weight) {
    shares equal;
    for (auto i = weight; i < got.size(); i += 3)
      equal.push_back(got[i]);
    const auto index = kestrion::test::jain(equal);
    least = std::isnan(index) ? 0 : std::min(least, index);
  }
  return least;
}

/// By how much what those of a weight got for it differs from the mean of all
/// three weights, at the most.
double weights_error(const shares& got) {
  std::array<double, 3> sum{};
  std::array<double, 3> weights{};
  for (std::size_t i = 0; i < got.size(); ++i) {
    sum.at(i % 3) += got[i];
    weights.at(i % 3) += bench::weight_of(i);
  }
  for (std::size_t i = 0; i < 3; ++i)
    sum.at(i) /= weights.at(i);
  const auto mean = std::accumulate(sum.begin(), sum.end(), 0.0) / 3;
  double out = 0;
  for (const auto a_weight : sum)
    out = std::max(out, std::abs(a_weight - mean) / mean);
  return out;
}

// -- virtual time

constexpr std::int64_t input_a_minute = 3'600'000;
constexpr std::int64_t output_a_minute = 900'000;
constexpr std::int64_t requests_a_minute = 2'600;
constexpr int minutes = 20;

kestrion::test::load_options virtual_load(limit_shape shape) {
  kestrion::test::load_options out;
  for (std::size_t i = 0; i < rate_limit_load::tenants; ++i)
    out.tenants.push_back({std::to_string(i), bench::weight_of(i)});
  out.tenants.push_back(
    {"people", 1, 10, kestrion::call_lane::interactive, 7s});
  out.limits = {
    {"rpm", {}, limit_kind::requests, requests_a_minute, 1min, shape},
    {"itpm", {}, limit_kind::input_tokens, input_a_minute, 1min, shape},
    {"otpm", {}, limit_kind::output_tokens, output_a_minute, 1min, shape}};
  return out;
}

void measure_in_virtual_time(limit_shape shape) {
  const auto options = virtual_load(shape);
  std::vector<kestrion::test::strict_limit> limits;
  for (const auto& limit : options.limits)
    limits.emplace_back(limit.kind, shape, limit.amount, limit.period,
                        kestrion::timestamp{500'000h} - 17'345ms);
  kestrion::test::load load{options,
                            kestrion::test::strict_server{std::move(limits)}};
  load.pass(3min); // It learns what calls use.
  auto refused = load.rejected;
  load.pass(std::chrono::minutes{minutes});
  refused += load.rejected;
  shares got;
  for (std::size_t i = 0; i < rate_limit_load::tenants; ++i)
    got.push_back(load.tokens[std::to_string(i)]);
  const auto used =
    std::max({static_cast<double>(load.calls) / requests_a_minute,
              static_cast<double>(load.input_tokens) / input_a_minute,
              static_cast<double>(load.output_tokens) / output_a_minute});
  std::vector<double> times;
  for (const auto d : load.call_times)
    times.push_back(in_ms(d));
  bench::print(
    {{"bench", "rate_limit"},
     {"time", "virtual"},
     {"server", name_of(shape)},
     {"clients", "scheduler"},
     {"seconds", minutes * 60},
     {"runs", rate_limit_load::runs},
     {"calls", load.calls},
     {"http_429", refused},
     {"utilization", bench::rounded(used / minutes, 3)},
     {"jain", bench::rounded(jain(got), 4)},
     {"weights_error", bench::rounded(weights_error(got), 4)},
     {"urgent_wait_p99_ms", in_ms(kestrion::test::p99(load.waits["people"]))},
     {"call_ms", bench::median(std::move(times))}});
}

// -- real time

void print_real(const rate_limit_load& load, const rate_limit_record& seen) {
  shares got(load.tenants);
  std::int64_t accepted = 0;
  std::int64_t refused = 0;
  for (const auto& call : seen.arrivals) {
    refused += call.accepted ? 0 : 1;
    if (!call.accepted || call.at < seen.begin || call.at >= seen.end)
      continue;
    ++accepted;
    if (call.tenant)
      got.at(*call.tenant) += 1;
  }
  bench::print(
    {{"bench", "rate_limit"},
     {"time", "real"},
     {"server", name_of(load.shape)},
     {"clients", load.scheduled ? "scheduler" : "backoff of each run"},
     {"seconds", load.length.count()},
     {"runs", load.runs},
     {"calls", accepted},
     {"http_429", refused},
     {"utilization",
      bench::rounded(static_cast<double>(accepted) / seen.allowed, 3)},
     {"jain", bench::rounded(jain(got), 4)},
     {"weights_error", bench::rounded(weights_error(got), 4)},
     {"urgent_wait_p99_ms", in_ms(kestrion::test::p99(seen.urgent_waits))},
     {"call_ms", load.call_time.count()}});
}

/// How many calls a second were accepted, or else refused.
bench::plot_line line_of(const rate_limit_record& seen, bool accepted,
                         const char* name, const char* colour) {
  bench::plot_line out{name, colour, {}};
  out.each.resize(static_cast<std::size_t>((seen.end - seen.begin)
                                           / std::chrono::seconds{1}));
  for (const auto& call : seen.arrivals)
    if (call.accepted == accepted && call.at >= seen.begin
        && call.at < seen.end)
      out.each[static_cast<std::size_t>((call.at - seen.begin)
                                        / std::chrono::seconds{1})] += 1;
  return out;
}

void plot(const std::filesystem::path& folder, limit_shape shape,
          const rate_limit_record& scheduler,
          const rate_limit_record& backoff) {
  std::vector<bench::plot_panel> panels;
  for (const bool accepted : {true, false})
    panels.push_back(
      {accepted ? "calls accepted a second" : "calls refused (429) a second",
       {line_of(backoff, accepted, "backoff of each run", "#d55e00"),
        line_of(scheduler, accepted, "scheduler", "#0072b2")}});
  bench::write_svg(
    folder
      / (shape == limit_shape::continuous ? "rate_limit_bucket.svg"
                                          : "rate_limit_windows.svg"),
    std::string{"1,000 runs want 500 calls a second of a server that allows "
                "1,000 in 10 s ("}
      + name_of(shape) + ")",
    panels);
}

void measure(std::chrono::seconds length, const std::string& plots) {
  constexpr std::array shapes{limit_shape::continuous,
                              limit_shape::fixed_window};
  for (const auto shape : shapes)
    measure_in_virtual_time(shape);
  for (const auto shape : shapes) {
    const rate_limit_load with{shape, true, length};
    const rate_limit_load without{shape, false, length};
    const auto scheduler = bench::run_for_real(with);
    print_real(with, scheduler);
    const auto backoff = bench::run_for_real(without);
    print_real(without, backoff);
    if (!plots.empty())
      plot(plots, shape, scheduler, backoff);
  }
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("rate_limit", [&] {
    std::chrono::seconds length{60};
    std::string plots;
    for (int i = 1; i < argc; ++i) {
      if (std::string_view{argv[i]} != "--plots")
        length = std::chrono::seconds{std::atoi(argv[i])};
      else if (++i < argc)
        plots = argv[i];
    }
    if (length <= 0s)
      throw std::invalid_argument("usage: bench_rate_limit [SECONDS] "
                                  "[--plots FOLDER]");
    const auto over = length % rate_limit_load::period;
    measure(over == 0s ? length : length + rate_limit_load::period - over,
            plots);
  });
}
