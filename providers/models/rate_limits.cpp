#include <kestrion/providers/models/rate_limits.hpp>

#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/header_values.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace kestrion {

namespace {

/// Takes what `shape` says off the front: a '0' stands for a digit.
std::optional<std::string_view> take(std::string_view& text,
                                     std::string_view shape) {
  if (text.size() < shape.size())
    return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
      return std::nullopt;
  const auto taken = text.substr(0, shape.size());
  text.remove_prefix(shape.size());
  return taken;
}

/// The digits after the dot; finer ones than ours are dropped.
std::optional<duration> take_fraction(std::string_view& text) {
  if (!text.starts_with('.'))
    return duration{};
  text.remove_prefix(1);
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9';
       ++digits, unit /= 10)
    micros += (text[digits] - '0') * unit;
  if (digits == 0)
    return std::nullopt;
  text.remove_prefix(digits);
  return duration{micros};
}

/// What is left of a time: 'Z', or how far it is ahead of UTC.
std::optional<duration> offset(std::string_view text) {
  if (text == "Z" || text == "z")
    return duration{};
  const auto sign = text.empty() ? ' ' : text.front();
  if (sign != '+' && sign != '-')
    return std::nullopt;
  text.remove_prefix(1);
  const auto digits = take(text, "00:00");
  if (!digits || !text.empty())
    return std::nullopt;
  const duration ahead =
    std::chrono::hours{*number_in<int>(digits->substr(0, 2))}
    + std::chrono::minutes{*number_in<int>(digits->substr(3))};
  return sign == '+' ? ahead : -ahead;
}

std::optional<std::int64_t> count(const http_headers& headers,
                                  const std::string& name, std::int64_t least) {
  const auto value = find_header(headers, name);
  const auto n = value ? number_in<std::int64_t>(*value) : std::nullopt;
  return n && *n >= least ? n : std::nullopt; // Azure sends -1 for "no idea".
}

void add(std::vector<limit_report>& out, limit_report report) {
  if (report.limit || report.remaining || report.reset_at)
    out.push_back(report);
}

/// Their resets are times, by their clock.
void add_anthropic(std::vector<limit_report>& out, const http_headers& headers,
                   timestamp now) {
  struct row {
    const char* name;
    limit_kind kind;
  };
  constexpr std::array rows{row{"requests", limit_kind::requests},
                            row{"input-tokens", limit_kind::input_tokens},
                            row{"output-tokens", limit_kind::output_tokens},
                            row{"tokens", limit_kind::total_tokens}};
  const auto date = find_header(headers, "date");
  const auto theirs = date ? parse_http_date(*date) : std::nullopt;
  for (const auto& each : rows) {
    const auto prefix = std::string{"anthropic-ratelimit-"} + each.name;
    limit_report report{each.kind, count(headers, prefix + "-limit", 1),
                        count(headers, prefix + "-remaining", 0)};
    const auto reset = find_header(headers, prefix + "-reset");
    if (const auto at = reset ? parse_rfc3339(*reset) : std::nullopt) {
      const auto left =
        std::clamp(*at - theirs.value_or(now), duration{}, wait_most);
      report.reset_at = later(now, left);
    }
    add(out, report);
  }
}

/// Their resets are durations.
void add_openai(std::vector<limit_report>& out, const http_headers& headers,
                timestamp now) {
  struct row {
    const char* name;
    limit_kind kind;
  };
  constexpr std::array rows{row{"requests", limit_kind::requests},
                            row{"tokens", limit_kind::total_tokens}};
  for (const auto& each : rows) {
    const std::string name = each.name;
    limit_report report{each.kind,
                        count(headers, "x-ratelimit-limit-" + name, 1),
                        count(headers, "x-ratelimit-remaining-" + name, 0)};
    const auto reset = find_header(headers, "x-ratelimit-reset-" + name);
    if (const auto left = reset ? parse_go_duration(*reset) : std::nullopt)
      report.reset_at = later(now, *left);
    add(out, report);
  }
}

} // namespace

std::vector<limit_report> limits_of(const http_headers& headers,
                                    timestamp now) {
  std::vector<limit_report> out;
  add_anthropic(out, headers, now);
  add_openai(out, headers, now);
  return out;
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
  const auto date = take(text, "0000-00-00");
  if (!date || (!text.starts_with('T') && !text.starts_with('t')))
    return std::nullopt;
  text.remove_prefix(1);
  const auto time = take(text, "00:00:00");
  const auto fraction = time ? take_fraction(text) : std::nullopt;
  const auto ahead = fraction ? offset(text) : std::nullopt;
  if (!ahead)
    return std::nullopt;
  const std::chrono::year_month_day day{
    std::chrono::year{*number_in<int>(date->substr(0, 4))},
    std::chrono::month{*number_in<unsigned>(date->substr(5, 2))},
    std::chrono::day{*number_in<unsigned>(date->substr(8, 2))}};
  if (!day.ok())
    return std::nullopt;
  return std::chrono::sys_days{day}
         + std::chrono::hours{*number_in<int>(time->substr(0, 2))}
         + std::chrono::minutes{*number_in<int>(time->substr(3, 2))}
         + std::chrono::seconds{*number_in<int>(time->substr(6, 2))} + *fraction
         - *ahead;
}

std::optional<duration> parse_go_duration(std::string_view text) {
  struct unit {
    std::string_view name;
    double seconds;
  };
  constexpr std::array units{
    unit{"h", 3600},  unit{"ms", 1e-3}, unit{"m", 60}, unit{"us", 1e-6},
    unit{"µs", 1e-6}, unit{"ns", 1e-9}, unit{"s", 1}};
  if (text == "0")
    return duration{};
  if (text.empty())
    return std::nullopt;
  std::chrono::duration<double> total{};
  while (!text.empty()) {
    const auto digits =
      std::min(text.find_first_not_of("0123456789."), text.size());
    const auto n = number_in<double>(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto* u =
      std::find_if(units.begin(), units.end(),
                   [&](const unit& x) { return text.starts_with(x.name); });
    if (!n || u == units.end())
      return std::nullopt;
    text.remove_prefix(u->name.size());
    total += std::chrono::duration<double>{*n * u->seconds};
  }
  return std::chrono::round<duration>(
    std::min(total, std::chrono::duration<double>{wait_most}));
}

} // namespace kestrion
