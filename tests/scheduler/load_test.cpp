/// A thousand runs of twenty tenants want five times what a strict server
/// gives, in virtual time. KESTRION_SEED=n repeats a run.

#include "load.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>

using namespace kestrion;
using namespace kestrion::test;
using namespace std::chrono_literals;

namespace load_test {

constexpr timestamp begin{std::chrono::hours{500'000}};

/// About 200 calls a second of 1,800 tokens are wanted: 21.6 million a minute.
constexpr std::int64_t input_a_minute = 3'600'000;
constexpr std::int64_t output_a_minute = 900'000;
constexpr std::int64_t requests_a_minute = 2'600;

unsigned seed() {
  const auto* set = std::getenv("KESTRION_SEED");
  return set ? static_cast<unsigned>(std::atoi(set)) : 1;
}

load_options twenty_tenants(limit_shape shape) {
  load_options out;
  out.seed = seed();
  for (int i = 0; i < 20; ++i)
    out.tenants.push_back({"t" + std::to_string(i)});
  out.limits = {
    {"rpm", {}, limit_kind::requests, requests_a_minute, 1min, shape},
    {"itpm", {}, limit_kind::input_tokens, input_a_minute, 1min, shape},
    {"otpm", {}, limit_kind::output_tokens, output_a_minute, 1min, shape}};
  return out;
}

strict_server server_for(const load_options& options) {
  std::vector<strict_limit> out;
  for (const auto& limit : options.limits)
    out.emplace_back(limit.kind, limit.shape, limit.amount, limit.period,
                     begin - 17'345ms);
  return strict_server{std::move(out)};
}

/// How much of the scarcest limit was used in so many minutes.
double utilization(const load& l, double minutes) {
  return std::max({static_cast<double>(l.calls) / requests_a_minute,
                   static_cast<double>(l.input_tokens) / input_a_minute,
                   static_cast<double>(l.output_tokens) / output_a_minute})
         / minutes;
}

std::vector<double> shares(const load& l) {
  std::vector<double> out;
  for (const auto& [name, tokens] : l.tokens)
    out.push_back(tokens);
  return out;
}

void say(const char* what, const load& l, double minutes) {
  std::cout << what << ": seed " << seed() << ", rejected " << l.rejected
            << ", utilization " << utilization(l, minutes) << ", jain "
            << jain(shares(l)) << '\n';
}

void uses_all_of_it_without_a_rejection(const char* what,
                                        const load_options& options) {
  load l{options, server_for(options)};
  l.pass(3min); // It learns.
  BOOST_TEST(l.rejected == 0u);
  l.pass(10min);
  say(what, l, 10);
  BOOST_TEST(l.rejected == 0u);
  BOOST_TEST(utilization(l, 10) >= 0.98);
  BOOST_TEST(jain(shares(l)) >= 0.99);
}

} // namespace load_test

BOOST_AUTO_TEST_SUITE(load_test)

BOOST_AUTO_TEST_CASE(a_strict_bucket_is_used_up_and_never_rejects) {
  uses_all_of_it_without_a_rejection("bucket",
                                     twenty_tenants(limit_shape::continuous));
}

BOOST_AUTO_TEST_CASE(strict_windows_of_unknown_phase_are_used_up_too) {
  uses_all_of_it_without_a_rejection("windows",
                                     twenty_tenants(limit_shape::fixed_window));
}

BOOST_AUTO_TEST_CASE(reports_of_the_server_do_not_lead_astray) {
  for (auto shape : {limit_shape::continuous, limit_shape::fixed_window}) {
    auto options = twenty_tenants(shape);
    options.reports = true;
    uses_all_of_it_without_a_rejection("reports", options);
  }
}

BOOST_AUTO_TEST_CASE(estimates_wrong_by_three_either_way_are_corrected) {
  for (auto truth : {0.75, 0.083}) {
    for (auto shape : {limit_shape::continuous, limit_shape::fixed_window}) {
      auto options = twenty_tenants(shape);
      options.tokens_a_byte = truth;
      // As many tokens as before, that the same limit is scarce.
      options.input_bytes = static_cast<std::int64_t>(1'500 / truth);
      uses_all_of_it_without_a_rejection("factor 3", options);
    }
  }
}

BOOST_AUTO_TEST_CASE(half_of_the_holders_dying_costs_nothing) {
  for (auto shape : {limit_shape::continuous, limit_shape::fixed_window}) {
    auto options = twenty_tenants(shape);
    options.death = 0.5;
    uses_all_of_it_without_a_rejection("deaths", options);
  }
}

BOOST_AUTO_TEST_CASE(weights_are_kept) {
  auto options = twenty_tenants(limit_shape::continuous);
  for (std::size_t i = 0; i < 20; ++i)
    options.tenants[i].weight = i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 4;
  load l{options, server_for(options)};
  l.pass(3min);
  l.pass(20min);
  double least = 1e300;
  double most = 0;
  for (const auto& tenant : options.tenants) {
    const auto share = l.tokens[tenant.name] / tenant.weight;
    least = std::min(least, share);
    most = std::max(most, share);
  }
  std::cout << "weights: seed " << seed() << ", least/most " << least / most
            << '\n';
  BOOST_TEST(least / most >= 0.98);
  BOOST_TEST(l.rejected == 0u);
}

BOOST_AUTO_TEST_CASE(urgent_calls_wait_less_than_a_call_takes) {
  for (auto shape : {limit_shape::continuous, limit_shape::fixed_window}) {
    auto options = twenty_tenants(shape);
    options.tenants.push_back({"people", 1, 10, call_lane::interactive, 7s});
    load l{options, server_for(options)};
    l.pass(3min);
    l.pass(10min);
    const auto waited = p99(l.waits["people"]);
    auto times = l.call_times;
    std::sort(times.begin(), times.end());
    const auto call = times[times.size() / 2];
    std::cout << "urgent: p99 wait " << waited.count() << " us, call "
              << call.count() << " us, of " << l.waits["people"].size() << '\n';
    say("urgent", l, 10);
    BOOST_TEST(waited.count() < call.count());
    BOOST_TEST(l.rejected == 0u);
    BOOST_TEST(utilization(l, 10) >= 0.98);
  }
}

BOOST_AUTO_TEST_CASE(first_reservations_that_are_far_too_high_starve_nobody) {
  for (auto shape : {limit_shape::continuous, limit_shape::fixed_window}) {
    auto options = twenty_tenants(shape);
    options.limits.resize(1); // Of requests only: who reserves much is let in.
    options.input_bytes = 600;
    options.output_tokens = 5;
    options.output_tokens_max = 8'192;
    options.tenants.push_back({"people", 1, 10, call_lane::interactive, 7s});
    load l{options, server_for(options)};
    l.pass(1min); // It learns.
    for (int minute = 2; minute <= 4; ++minute) {
      l.pass(1min);
      const auto asked = l.waits["people"].size();
      l.tokens.erase("people");
      say("too high", l, 1);
      BOOST_TEST(l.rejected == 0u);
      BOOST_TEST(jain(shares(l)) >= 0.98);
      BOOST_TEST(asked > 20u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_lowers_its_limit_is_followed) {
  for (auto shape : {limit_shape::continuous, limit_shape::fixed_window}) {
    auto options = twenty_tenants(shape);
    options.reports = true;
    load l{options, server_for(options)};
    l.pass(3min);
    for (auto& limit : l.server().limits())
      if (limit.kind() == limit_kind::input_tokens)
        limit.change(input_a_minute / 2, l.now());
    // Until an answer says so, and what was used before is forgotten.
    l.pass(3min);
    const auto first = l.rejected;
    l.pass(10min);
    std::cout << "lowered: rejected " << first << " at first, then "
              << l.rejected << ", utilization " << 2 * utilization(l, 10)
              << '\n';
    BOOST_TEST(l.rejected == 0u);
    BOOST_TEST(2 * utilization(l, 10) >= 0.98);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_lies_about_its_pauses_hangs_nobody) {
  for (duration lie : {duration{0}, duration{1h * 24 * 365}}) {
    auto options = twenty_tenants(limit_shape::continuous);
    options.retry_after = lie;
    options.scheduler.pause_max = 30s;
    load l{options, server_for(options)};
    l.pass(2min);
    // It has less than it ever says.
    for (auto& limit : l.server().limits())
      limit.change(1, l.now());
    l.pass(1min);
    BOOST_TEST(l.rejected > 0u);
    // One at a time, ever less often: no storm.
    l.pass(5min);
    std::cout << "lie of " << lie.count() << " us: rejected " << l.rejected
              << '\n';
    BOOST_TEST(l.rejected < 40u);
    // And when it works again, so does everybody.
    for (auto& limit : l.server().limits())
      limit.change(input_a_minute, l.now());
    l.pass(3min);
    BOOST_TEST(l.calls > requests_a_minute);
  }
}

BOOST_AUTO_TEST_SUITE_END()
