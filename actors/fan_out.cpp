#include <kestrion/actors/fan_out.hpp>

namespace kestrion {

fan_out_plan::fan_out_plan(std::size_t runs, std::size_t at_once,
                           std::optional<first_that> first)
  : at_once_(at_once), first_(first), results_(runs) {}

std::optional<std::size_t> fan_out_plan::next() {
  if (is_over() || begun_ == results_.size() || begun_ - ended_ >= at_once_)
    return std::nullopt;
  return begun_++;
}

void fan_out_plan::end(std::size_t run, run_result r) {
  if (results_.at(run) || is_over())
    return;
  const bool is_answer = r.status == run_status::completed;
  results_[run] = std::move(r);
  ++ended_;
  const bool is_last = ended_ == results_.size();
  if (first_ && (is_answer || is_last || *first_ == first_that::ended))
    winner_ = run;
}

bool fan_out_plan::is_over() const {
  return winner_ || ended_ == results_.size();
}

std::vector<std::size_t> fan_out_plan::left() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < begun_; ++i)
    if (!results_[i])
      out.push_back(i);
  return out;
}

std::vector<run_result> fan_out_plan::all() && {
  ensure(is_over() && !first_, "all have ended");
  std::vector<run_result> out;
  out.reserve(results_.size());
  for (auto& r : results_)
    out.push_back(std::move(*r));
  return out;
}

run_result fan_out_plan::winner() && {
  ensure(winner_.has_value(), "there is a first one");
  return std::move(*results_[*winner_]);
}

result<void> check(const fan_out_options& options, std::size_t runs,
                   bool wants_first) {
  if (options.at_once == 0)
    return error{errc::invalid_argument,
                 "at_once is 0; expected at least one run at a time"};
  if (runs > fan_out_runs_max)
    return error{errc::invalid_argument,
                 std::to_string(runs) + " runs at once are too many; expected "
                   + "at most " + std::to_string(fan_out_runs_max)};
  if (wants_first && runs == 0)
    return error{errc::invalid_argument,
                 "the first of no runs; expected at least one request"};
  return {};
}

} // namespace kestrion
