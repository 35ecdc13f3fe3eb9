#include <kestrion/providers/models/prices.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace kestrion {

namespace prices_test {

using namespace std::chrono_literals;

constexpr timestamp now = std::chrono::sys_days{2026y / 11 / 23};
constexpr std::int64_t million = 1'000'000;

std::int64_t cost(std::string_view model, const token_usage& usage,
                  timestamp at = now) {
  return price_table{}.cost(model, usage, at).value_or(-1);
}

} // namespace prices_test

BOOST_AUTO_TEST_SUITE(prices_test)

BOOST_AUTO_TEST_CASE(each_kind_of_token_has_its_price) {
  BOOST_TEST(cost("claude-sonnet-4-6", {million, 0, 0, 0, 0}) == 3'000'000);
  BOOST_TEST(cost("claude-sonnet-4-6", {0, million, 0, 0, 0}) == 300'000);
  BOOST_TEST(cost("claude-sonnet-4-6", {0, 0, million, 0, 0}) == 3'750'000);
  // Reasoning is part of the output and not billed twice.
  BOOST_TEST(cost("claude-sonnet-4-6", {0, 0, 0, million, million})
             == 15'000'000);
  BOOST_TEST(cost("claude-sonnet-4-6", {1'000, 2'000, 300, 40, 0})
             == 3'000 + 600 + 1'125 + 600);
}

BOOST_AUTO_TEST_CASE(a_cost_is_rounded_once_to_the_nearest_micro_dollar) {
  // 0.1 + 0.01 + 0.125 + 0.5 dollars per million.
  BOOST_TEST(cost("claude-haiku-5-5", {1, 1, 1, 1, 0}) == 1);
  BOOST_TEST(cost("claude-haiku-5-5", {4, 0, 0, 0, 0}) == 0);
  BOOST_TEST(cost("claude-haiku-5-5", {5, 0, 0, 0, 0}) == 1);
  BOOST_TEST(cost("claude-haiku-5-5", {}) == 0);
}

BOOST_AUTO_TEST_CASE(a_long_prompt_makes_the_whole_call_dearer) {
  BOOST_TEST(cost("claude-haiku-5-5", {100'000, 0, 0, 0, 0}) == 10'000);
  BOOST_TEST(cost("claude-haiku-5-5", {100'001, 0, 0, 0, 0}) == 50'001);
  BOOST_TEST(cost("claude-sonnet-4-5", {0, 200'001, 0, 0, 0}) == 120'001);
  BOOST_TEST(cost("claude-sonnet-4-5", {1, 0, 200'000, million, 0})
             == 6 + 1'500'000 + 22'500'000);
  BOOST_TEST(cost("gpt-5", {272'000, 0, 0, 0, 0}) == 340'000);
  BOOST_TEST(cost("gpt-5", {272'001, 0, 0, million, 0})
             == 680'003 + 15'000'000);
}

BOOST_AUTO_TEST_CASE(a_price_holds_from_its_day_on) {
  const token_usage read{0, million, 0, 0, 0};
  const timestamp change = std::chrono::sys_days{2026y / 10 / 7};
  BOOST_TEST(cost("claude-sonnet-5-5", read, change - 1us) == 200'000);
  BOOST_TEST(cost("claude-sonnet-5-5", read, change) == 100'000);
}

BOOST_AUTO_TEST_CASE(a_dated_name_costs_what_its_model_costs) {
  const token_usage one{million, 0, 0, 0, 0};
  BOOST_TEST(cost("claude-sonnet-4-5-20250929", {1'000, 0, 0, 0, 0}) == 3'000);
  BOOST_TEST(cost("gpt-5-mini-2025-08-07", {1'000, 0, 0, 0, 0}) == 250);
  BOOST_TEST(cost("gpt-5-nano-2025", one) == -1);
  BOOST_TEST(cost("nobody", one) == -1);
  BOOST_TEST(cost("", one) == -1);
}

BOOST_AUTO_TEST_CASE(no_plausible_count_overflows) {
  constexpr std::int64_t most = 1'000'000'000;
  BOOST_TEST(cost("gpt-6-astra", {most, most, most, most, 0}) > most);
}

BOOST_AUTO_TEST_CASE(a_price_of_ones_own_replaces_all_that_was_known) {
  const auto table =
    price_table{}.with("claude-haiku-5-5", {million, million, 0, 0});
  BOOST_TEST(*table.cost("claude-haiku-5-5", {500'000, 0, 0, 0, 0}, now)
             == 500'000);
  BOOST_TEST(table.cost("claude-haiku-4-5", {1, 0, 0, 0, 0}, now).has_value());
  BOOST_TEST(cost("claude-haiku-5-5", {1'000, 0, 0, 0, 0}) == 100);
}

BOOST_AUTO_TEST_CASE(a_file_of_prices_adds_and_replaces) {
  const auto table = price_table{}.read(R"({"prices": [
    {"model": "mine", "input": 1.5, "output": 2},
    {"model": "mine", "input": 3, "output": 4, "cache_read": 0.25,
     "cache_write": 5, "effective_from": "2027-01-01",
     "prompt_tokens_over": 0}]})");
  BOOST_REQUIRE(table.has_value());
  BOOST_TEST((*table->find("mine", now)
              == model_price{1'500'000, 2'000'000, 1'500'000, 1'500'000}));
  BOOST_TEST((*table->find("mine", std::chrono::sys_days{2027y / 1 / 1})
              == model_price{3'000'000, 4'000'000, 250'000, 5'000'000}));
}

BOOST_AUTO_TEST_CASE(a_file_that_makes_no_sense_is_refused_with_its_row) {
  for (const auto* bad :
       {"", "{}", R"({"prices":[{"model":"m"}]})",
        R"({"prices":[{"model":"m","input":-1,"output":1}]})",
        R"({"prices":[{"model":"m","input":1e99,"output":1}]})",
        R"({"prices":[{"model":"","input":1,"output":1}]})",
        R"({"prices":[{"model":"m","input":1,"output":1,"typo":1}]})",
        R"({"prices":[{"model":"m","input":1,"output":1,)"
        R"("effective_from":"tomorrow"}]})",
        R"({"prices":[{"model":"m","input":1,"output":1,)"
        R"("effective_from":"2026-02-30"}]})",
        R"({"prices":[{"model":"m","input":1,"output":1,)"
        R"("prompt_tokens_over":-1}]})"}) {
    const auto table = price_table{}.read(bad);
    BOOST_TEST(table.has_error(), bad);
    BOOST_TEST((table.error().code == errc::invalid_argument));
  }
  BOOST_TEST(
    (price_table{}.read_file("/nowhere/prices.json").error().code == errc::io));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion
