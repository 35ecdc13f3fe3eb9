#include <kestrion/scheduler/cron_fields.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace kestrion {

namespace {

using whole_days = std::chrono::days;
using std::chrono::minutes;
using local_day = std::chrono::local_time<whole_days>;

// -- parsing ------------------------------------------------------------------

constexpr std::array<std::string_view, 12> month_names{
  "JAN", "FEB", "MAR", "APR", "MAY", "JUN",
  "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> weekday_names{
  "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7>
  nicknames{{{"@hourly", "0 * * * *"},
             {"@daily", "0 0 * * *"},
             {"@midnight", "0 0 * * *"},
             {"@weekly", "0 0 * * 0"},
             {"@monthly", "0 0 1 * *"},
             {"@yearly", "0 0 1 1 *"},
             {"@annually", "0 0 1 1 *"}}};

/// What may stand in a field.
struct field_rule {
  std::string_view name;
  int first;
  int last;
  std::span<const std::string_view> names = {}; ///< Of the values from `first`.
};

constexpr field_rule minute_rule{"minute", 0, 59};
constexpr field_rule hour_rule{"hour", 0, 23};
constexpr field_rule day_rule{"day of month", 1, 31};
constexpr field_rule month_rule{"month", 1, 12, month_names};
constexpr field_rule weekday_rule{"day of week", 0, 7, weekday_names};

std::string quoted(std::string_view text) {
  return '"' + std::string{text} + '"';
}

std::vector<std::string_view> split(std::string_view text,
                                    std::string_view separators) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find_first_of(separators);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return out;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> number(std::string_view text) {
  int out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, out);
  if (ec != std::errc{} || at != end || text.front() == '-')
    return std::nullopt;
  return out;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::toupper(x) == std::toupper(y);
                    });
}

/// One field being read.
class field_parser {
public:
  field_parser(std::string_view expression, std::string_view text,
               const field_rule& rule)
    : expression_(expression), text_(text), rule_(rule) {}

  template <std::size_t N>
  std::optional<error> parse_into(std::bitset<N>& out) {
    for (const auto item : split(text_, ","))
      if (auto why = add(item, [&](int value) {
            out.set(static_cast<std::size_t>(value) % wrap());
          }))
        return why;
    return std::nullopt;
  }

private:
  std::size_t wrap() const { return rule_.last == 7 ? 7 : 64; }

  error wrong(std::string_view item, const std::string& expected) const {
    return {errc::invalid_argument, "the cron expression " + quoted(expression_)
                                      + " has the " + std::string{rule_.name}
                                      + ' ' + quoted(item) + "; expected "
                                      + expected};
  }

  error no_value(std::string_view item) const {
    return wrong(item, "\"*\", or values from " + std::to_string(rule_.first)
                         + " to " + std::to_string(rule_.last)
                         + (rule_.names.empty()
                              ? std::string{}
                              : " or " + std::string{rule_.names.front()}
                                  + " to " + std::string{rule_.names.back()})
                         + ", as a list (\"1,2\"), as a range (\"1-5\") or "
                           "with a step (\"*/2\", \"1-5/2\")");
  }

  std::optional<int> value(std::string_view text) const {
    if (text.empty())
      return std::nullopt;
    for (std::size_t i = 0; i < rule_.names.size(); ++i)
      if (same_letters(text, rule_.names[i]))
        return rule_.first + static_cast<int>(i);
    const auto out = number(text);
    if (!out || *out < rule_.first || *out > rule_.last)
      return std::nullopt;
    return out;
  }

  template <class Add>
  std::optional<error> add(std::string_view item, Add add_value) const {
    const auto slash = item.find('/');
    const auto range = item.substr(0, slash);
    const auto dash = range.find('-');
    auto first = std::optional{rule_.first};
    auto last = std::optional{rule_.last};
    if (range != "*") {
      first = value(range.substr(0, dash));
      last =
        dash == std::string_view::npos ? first : value(range.substr(dash + 1));
    }
    if (!first || !last)
      return no_value(item);
    if (*last == 0 && *first > 0 && rule_.last == 7)
      last = 7; // FRI-SUN
    if (*first > *last)
      return wrong(item, "a range that begins with the lesser value");
    int step = 1;
    if (slash != std::string_view::npos) {
      if (range != "*" && dash == std::string_view::npos)
        return wrong(item, "a step after \"*\" or a range, such as "
                             + quoted(std::string{range} + '-'
                                      + std::to_string(rule_.last)
                                      + std::string{item.substr(slash)}));
      const auto text = item.substr(slash + 1);
      const auto given = text.empty() ? std::nullopt : number(text);
      const auto most = std::max(*last - *first, 1);
      if (!given || *given < 1 || *given > most)
        return wrong(item, "a step from 1 to " + std::to_string(most));
      step = *given;
    }
    for (auto each = *first; each <= *last; each += step)
      if (range != "*" || rule_.last != 7 || each != 7) // Sunday is there once.
        add_value(each);
    return std::nullopt;
  }

  std::string_view expression_;
  std::string_view text_;
  const field_rule& rule_;
};

std::vector<std::string_view> words(std::string_view text) {
  auto out = split(text, " \t");
  std::erase(out, std::string_view{});
  return out;
}

// -- dates --------------------------------------------------------------------

bool fits(const cron_fields& f, local_day day) {
  const std::chrono::year_month_day date{day};
  const bool by_date = f.days[static_cast<unsigned>(date.day())];
  const bool by_weekday = f.weekdays[std::chrono::weekday{day}.c_encoding()];
  return f.months[static_cast<unsigned>(date.month())]
         && (f.either_day ? by_date || by_weekday : by_date && by_weekday);
}

/// Dates come back with their days of the week.
constexpr whole_days cycle{146'097};

std::optional<local_day> first_day_from(const cron_fields& f, local_day from) {
  for (auto day = from; day < from + cycle;) {
    if (fits(f, day))
      return day;
    const std::chrono::year_month_day date{day};
    if (f.months[static_cast<unsigned>(date.month())])
      day += whole_days{1};
    else
      day = local_day{date.year() / date.month() / 1 + std::chrono::months{1}};
  }
  return std::nullopt;
}

std::optional<minutes> first_time_from(const cron_fields& f, minutes from) {
  for (auto hour = static_cast<std::size_t>(from.count()) / 60,
            minute = static_cast<std::size_t>(from.count()) % 60;
       hour < 24; ++hour, minute = 0)
    for (; f.hours[hour] && minute < 60; ++minute)
      if (f.minutes[minute])
        return minutes{hour * 60 + minute};
  return std::nullopt;
}

} // namespace

result<cron_fields> cron_fields::parse(std::string_view text) {
  auto expression = text;
  const auto nickname =
    std::find_if(nicknames.begin(), nicknames.end(),
                 [&](const auto& each) { return each.first == text; });
  if (nickname != nicknames.end())
    expression = nickname->second;
  const auto fields = words(expression);
  if (fields.size() != 5)
    return error{errc::invalid_argument,
                 "the cron expression " + quoted(text) + " has "
                   + std::to_string(fields.size())
                   + " fields; expected five (minute, hour, day of month, "
                     "month, day of week) or @hourly, @daily, @weekly, "
                     "@monthly, @yearly"};
  cron_fields out;
  std::optional<error> why;
  const auto read = [&](std::size_t i, const field_rule& rule, auto& into) {
    if (!why)
      why = field_parser{text, fields[i], rule}.parse_into(into);
  };
  read(0, minute_rule, out.minutes);
  read(1, hour_rule, out.hours);
  read(2, day_rule, out.days);
  read(3, month_rule, out.months);
  read(4, weekday_rule, out.weekdays);
  if (why)
    return *why;
  out.either_day = fields[2].front() != '*' && fields[4].front() != '*';
  out.hours_recur = fields[1].find_first_of("*/") != std::string_view::npos;
  if (!first_day_from(out, {}))
    return error{errc::invalid_argument,
                 "the cron expression " + quoted(text)
                   + " never comes: no month " + quoted(fields[3])
                   + " has a day " + quoted(fields[2])
                   + "; expected one that some year has"};
  return out;
}

std::optional<wall_time> cron_fields::first_from(wall_time from) const {
  const auto minute = std::chrono::ceil<std::chrono::minutes>(from);
  const auto day = std::chrono::floor<whole_days>(minute);
  if (fits(*this, day))
    if (const auto time = first_time_from(*this, minute - day))
      return day + *time;
  const auto later_day = first_day_from(*this, day + whole_days{1});
  if (!later_day)
    return std::nullopt;
  return *later_day + *first_time_from(*this, {});
}

} // namespace kestrion
