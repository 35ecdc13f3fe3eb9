#include <kestrion/scheduler/zone_rule.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace kestrion {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Reads a rule from left to right; what does not fit is remembered.
class zone_rule::reader {
public:
  explicit reader(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  bool at_end() const { return text_.empty(); }
  bool sees(char c) const { return !text_.empty() && text_.front() == c; }

  bool take(char c) {
    if (!sees(c))
      return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) { failed_ = !take(c) || failed_; }

  /// "CET", "<+03>": only for people.
  void name() {
    const auto end =
      sees('<')
        ? std::min(text_.find('>'), text_.size() - 1) + 1
        : static_cast<std::size_t>(
          std::find_if_not(text_.begin(), text_.end(),
                           [](unsigned char c) { return std::isalpha(c) != 0; })
          - text_.begin());
    failed_ = failed_ || end == 0;
    text_.remove_prefix(end);
  }

  unsigned number(unsigned first, unsigned last) {
    unsigned out = 0;
    std::size_t digits = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'
           && digits < 3;
         ++digits, text_.remove_prefix(1))
      out = out * 10 + static_cast<unsigned>(text_.front() - '0');
    failed_ = failed_ || digits == 0 || out < first || out > last;
    return out;
  }

  /// "-3:30": hours, and minutes and seconds if there are some.
  seconds time() {
    const bool is_negative = take('-');
    if (!is_negative)
      take('+');
    seconds out = hours{number(0, 167)};
    if (take(':'))
      out += minutes{number(0, 59)};
    if (take(':'))
      out += seconds{number(0, 59)};
    return is_negative ? -out : out;
  }

  /// ",M3.5.0/2"
  change next_change(seconds before, seconds after) {
    change out;
    expect(',');
    expect('M');
    out.month = std::chrono::month{number(1, 12)};
    expect('.');
    out.week = number(1, 5);
    expect('.');
    out.weekday = std::chrono::weekday{number(0, 6)};
    out.time = take('/') ? time() : hours{2};
    out.before = before;
    out.after = after;
    return out;
  }

private:
  std::string_view text_;
  bool failed_ = false;
};

timestamp zone_rule::change::in(std::chrono::year year) const {
  using namespace std::chrono;
  const local_days day = week == 5 ? local_days{year / month / weekday[last]}
                                   : local_days{year / month / weekday[week]};
  return timestamp{day.time_since_epoch() + time - before};
}

std::optional<zone_rule> zone_rule::parse(std::string_view text) {
  zone_rule out;
  reader in{text};
  in.name();
  out.offset_ = -in.time(); // West is positive there.
  if (!in.failed() && !in.at_end()) {
    in.name();
    const auto summer =
      in.sees(',') ? out.offset_ + seconds{hours{1}} : -in.time();
    out.forward_ = in.next_change(out.offset_, summer);
    out.back_ = in.next_change(summer, out.offset_);
  }
  if (in.failed() || !in.at_end())
    return std::nullopt;
  return out;
}

zone_period zone_rule::at(timestamp t) const {
  if (!forward_)
    return {timestamp::min(), timestamp::max(), offset_};
  const std::chrono::year_month_day date{
    std::chrono::floor<std::chrono::days>(t)};
  // A change may be at a time of its year that is in another one in UTC.
  std::vector<std::pair<timestamp, seconds>> changes;
  for (auto year = date.year() - std::chrono::years{2};
       year <= date.year() + std::chrono::years{2}; ++year)
    for (const auto* each : {&*forward_, &*back_})
      changes.emplace_back(each->in(year), each->after);
  std::sort(changes.begin(), changes.end());
  const auto next =
    std::find_if(changes.begin(), changes.end(),
                 [&](const auto& each) { return each.first > t; });
  return {(next - 1)->first, next->first, (next - 1)->second};
}

} // namespace kestrion
