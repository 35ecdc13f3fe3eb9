#include <kestrion/providers/models/prices.hpp>

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/providers/models/price_list.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

namespace kestrion {

namespace {

/// A row of a price file.
struct priced_model {
  std::string model;
  double input = 0;
  double output = 0;
  std::optional<double> cache_read;
  std::optional<double> cache_write;
  std::optional<std::string> effective_from;
  std::optional<std::int64_t> prompt_tokens_over;
};
BOOST_DESCRIBE_STRUCT(priced_model, (),
                      (model, input, output, cache_read, cache_write,
                       effective_from, prompt_tokens_over))

struct price_file {
  std::vector<priced_model> prices;
};
BOOST_DESCRIBE_STRUCT(price_file, (), (prices))

/// No model costs this much; more would overflow the sum of a call.
constexpr double dollars_max = 10'000;
constexpr std::int64_t million = 1'000'000;

std::optional<timestamp> parse_day(std::string_view text) {
  int parts[3] = {};
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const std::string_view fields[3] = {text.substr(0, 4), text.substr(5, 2),
                                      text.substr(8, 2)};
  for (int i = 0; i < 3; ++i) {
    const auto end = fields[i].data() + fields[i].size();
    const auto read = std::from_chars(fields[i].data(), end, parts[i]);
    if (read.ec != std::errc{} || read.ptr != end || parts[i] < 0)
      return std::nullopt;
  }
  const std::chrono::year_month_day day{
    std::chrono::year{parts[0]},
    std::chrono::month{static_cast<unsigned>(parts[1])},
    std::chrono::day{static_cast<unsigned>(parts[2])}};
  if (!day.ok())
    return std::nullopt;
  return timestamp{std::chrono::sys_days{day}};
}

result<price_row> row_of(const priced_model& p) {
  const auto bad = [&](const std::string& what) {
    return error{errc::invalid_argument,
                 "the price of model \"" + p.model + "\": " + what};
  };
  for (const double dollars :
       {p.input, p.output, p.cache_read.value_or(0), p.cache_write.value_or(0)})
    if (!(dollars >= 0 && dollars <= dollars_max))
      return bad("expected 0 to 10000 dollars per million tokens");
  if (p.model.empty())
    return bad("expected the name of a model");
  const auto micros = [](double dollars) {
    return static_cast<std::int64_t>(std::llround(dollars * 1e6));
  };
  price_row row;
  row.price = {micros(p.input), micros(p.output),
               micros(p.cache_read.value_or(p.input)),
               micros(p.cache_write.value_or(p.input))};
  row.prompt_tokens_over = p.prompt_tokens_over.value_or(0);
  if (row.prompt_tokens_over < 0)
    return bad("prompt_tokens_over is negative");
  if (p.effective_from) {
    const auto day = parse_day(*p.effective_from);
    if (!day)
      return bad("effective_from is \"" + p.effective_from->substr(0, 40)
                 + "\"; expected a day such as 2026-10-07");
    row.effective_from = *day;
  }
  return row;
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

/// "m-20250929" and "m-2025-08-07" without their day.
std::string_view without_date(std::string_view name) {
  const auto n = name.size();
  if (n > 9 && name[n - 9] == '-' && is_digits(name.substr(n - 8)))
    return name.substr(0, n - 9);
  if (n > 11 && name[n - 11] == '-' && name[n - 6] == '-' && name[n - 3] == '-'
      && is_digits(name.substr(n - 10, 4)) && is_digits(name.substr(n - 5, 2))
      && is_digits(name.substr(n - 2)))
    return name.substr(0, n - 11);
  return name;
}

} // namespace

price_table::price_table() {
  static const auto built_in =
    std::make_shared<const rows_by_model>(public_prices());
  rows_ = built_in;
}

price_table price_table::with(const std::string& model,
                              std::vector<price_row> rows) const {
  auto changed = std::make_shared<rows_by_model>(*rows_);
  (*changed)[model] = std::move(rows);
  price_table out;
  out.rows_ = std::move(changed);
  return out;
}

price_table price_table::with(const std::string& model,
                              const model_price& price) const {
  return with(model, {{price, {}, 0}});
}

result<price_table> price_table::read(std::string_view json) const {
  const auto document = parse_json(json, "the price file");
  if (!document)
    return document.error();
  const auto file = decode_json<price_file>(*document);
  if (!file)
    return error{errc::invalid_argument,
                 "the price file: " + file.error().detail};
  rows_by_model read;
  for (const auto& priced : file->prices) {
    auto row = row_of(priced);
    if (!row)
      return row.error();
    read[priced.model].push_back(*row);
  }
  auto out = *this;
  for (auto& [model, rows] : read)
    out = out.with(model, std::move(rows));
  return out;
}

result<price_table> price_table::read_file(const std::string& path) const {
  std::ifstream in{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    return error{errc::io, "the price file \"" + path + "\" cannot be read"};
  return read(text);
}

std::optional<model_price> price_table::find(std::string_view model,
                                             timestamp at,
                                             std::int64_t prompt_tokens) const {
  auto rows = rows_->find(model);
  if (rows == rows_->end())
    rows = rows_->find(without_date(model));
  if (rows == rows_->end())
    return std::nullopt;
  const price_row* best = nullptr;
  for (const auto& row : rows->second) {
    const bool applies = row.effective_from <= at
                         && (row.prompt_tokens_over == 0
                             || prompt_tokens > row.prompt_tokens_over);
    // The highest tier reached decides; within it, the latest day.
    const auto rank = [](const price_row& r) {
      return std::pair{r.prompt_tokens_over, r.effective_from};
    };
    if (applies && (best == nullptr || rank(row) > rank(*best)))
      best = &row;
  }
  return best ? std::optional{best->price} : std::nullopt;
}

std::optional<std::int64_t> price_table::cost(std::string_view model,
                                              const token_usage& usage,
                                              timestamp at) const {
  const auto price = find(model, at,
                          usage.input_tokens + usage.cache_read_tokens
                            + usage.cache_write_tokens);
  if (!price)
    return std::nullopt;
  // Whole millions and the rest apart, so that nothing overflows.
  std::int64_t micros = 0;
  std::int64_t millionths = 0;
  for (const auto& [tokens, per_million] :
       {std::pair{usage.input_tokens, price->input},
        std::pair{usage.cache_read_tokens, price->cache_read},
        std::pair{usage.cache_write_tokens, price->cache_write},
        std::pair{usage.output_tokens, price->output}}) {
    micros += tokens / million * per_million;
    millionths += tokens % million * per_million;
  }
  return micros + (millionths + million / 2) / million;
}

} // namespace kestrion
