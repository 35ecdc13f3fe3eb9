#include <kestrion/actors/run_header.hpp>

#include <utility>

namespace kestrion {

run_header::run_header() {
  static const auto none = std::make_shared<const run_started>();
  value_ = none;
}

run_header::run_header(run_started value)
  : value_(std::make_shared<const run_started>(std::move(value))) {}

run_header header_pool::share(const run_header& x) {
  const std::lock_guard lock{mutex_};
  auto& last = last_[x->agent];
  if (!(last == x))
    last = x;
  return last;
}

} // namespace kestrion
