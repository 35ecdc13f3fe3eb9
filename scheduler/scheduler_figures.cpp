#include <kestrion/scheduler/scheduler_figures.hpp>

#include <algorithm>

namespace kestrion {

void wait_histogram::add(duration waited) {
  const auto slot = std::lower_bound(bounds.begin(), bounds.end(), waited);
  ++counts[static_cast<std::size_t>(slot - bounds.begin())];
  sum += waited;
}

} // namespace kestrion
