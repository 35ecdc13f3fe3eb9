#include <kestrion/providers/models/price_list.hpp>

#include <chrono>
#include <cmath>

namespace kestrion {

namespace {

/// Dollars per million tokens.
struct listed {
  const char* model;
  double input;
  double output;
  double cache_read;
  double cache_write;
  std::int64_t prompt_tokens_over = 0;
  std::chrono::sys_days effective_from = {};
};

using namespace std::chrono_literals;

constexpr std::chrono::sys_days cheaper_sonnet{2026y / 10 / 7};

/// @par Source claude.com/pricing
constexpr listed claude_prices[] = {
  {"claude-fable-5-1", 10, 50, 0.25, 12.5},
  {"claude-mythos-5-1", 10, 50, 0.25, 12.5},
  {"claude-fable-5", 10, 50, 1, 12.5},
  {"claude-opus-5-5", 4, 20, 0.2, 5},
  {"claude-opus-5", 5, 25, 0.5, 6.25},
  {"claude-opus-4-8", 5, 25, 0.5, 6.25},
  {"claude-opus-4-7", 5, 25, 0.5, 6.25},
  {"claude-opus-4-6", 5, 25, 0.5, 6.25},
  {"claude-opus-4-5", 5, 25, 0.5, 6.25},
  {"claude-sonnet-5-5", 2, 10, 0.2, 2.5},
  {"claude-sonnet-5-5", 2, 10, 0.1, 2.5, 0, cheaper_sonnet},
  {"claude-sonnet-5", 2, 10, 0.2, 2.5},
  {"claude-sonnet-4-6", 3, 15, 0.3, 3.75},
  {"claude-sonnet-4-5", 3, 15, 0.3, 3.75},
  {"claude-sonnet-4-5", 6, 22.5, 0.6, 7.5, 200'000},
  {"claude-haiku-5-5", 0.1, 0.5, 0.01, 0.125},
  {"claude-haiku-5-5", 0.5, 2.5, 0.05, 0.625, 100'000},
  {"claude-haiku-4-5", 1, 5, 0.1, 1.25},
};

/// @par Source openai.com/api/pricing
constexpr listed gpt_prices[] = {
  {"gpt-6-astra", 10, 50, 1, 12.5},
  {"gpt-6.1-sol", 2, 10, 0.1, 2.5},
  {"gpt-6-sol", 2, 10, 0.2, 2.5},
  {"gpt-6-luna", 0.1, 0.5, 0.01, 0.125},
  {"gpt-5.6-sol", 4, 20, 0.4, 5},
  {"gpt-5.6-terra", 2, 12, 0.2, 2.5},
  {"gpt-5.6-luna", 0.2, 1.2, 0.02, 0.25},
  {"gpt-5.5", 5, 30, 0.5, 5},
  {"gpt-5.4", 2.5, 15, 0.25, 2.5},
  {"gpt-5.4-mini", 0.75, 4.5, 0.075, 0.75},
  {"gpt-5.4-nano", 0.2, 1.25, 0.02, 0.2},
  {"gpt-5", 1.25, 10, 0.125, 1.25},
  {"gpt-5-mini", 0.25, 2, 0.025, 0.25},
  {"gpt-5-nano", 0.05, 0.4, 0.005, 0.05},
  {"gpt-4.1", 2, 8, 0.5, 2},
  {"o3", 2, 8, 0.5, 2},
  {"gpt-4o", 2.5, 10, 1.25, 2.5},
  {"gpt-4o-mini", 0.15, 0.6, 0.075, 0.15},
};

/// A longer prompt makes the whole call dearer.
constexpr std::int64_t gpt_long_prompt = 272'000;
constexpr double gpt_long_input = 2;
constexpr double gpt_long_output = 1.5;

std::int64_t micros(double dollars) {
  return std::llround(dollars * 1e6);
}

price_row row_of(const listed& l, double in, double out) {
  return {{micros(l.input * in), micros(l.output * out),
           micros(l.cache_read * in), micros(l.cache_write * in)},
          l.effective_from,
          l.prompt_tokens_over};
}

} // namespace

std::map<std::string, std::vector<price_row>, std::less<>> public_prices() {
  std::map<std::string, std::vector<price_row>, std::less<>> rows;
  for (const auto& l : claude_prices)
    rows[l.model].push_back(row_of(l, 1, 1));
  for (auto l : gpt_prices) {
    rows[l.model].push_back(row_of(l, 1, 1));
    l.prompt_tokens_over = gpt_long_prompt;
    rows[l.model].push_back(row_of(l, gpt_long_input, gpt_long_output));
  }
  return rows;
}

} // namespace kestrion
