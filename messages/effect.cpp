#include <kestrion/messages/effect.hpp>

#include <algorithm>

namespace kestrion {

run_limits within(run_limits own, const child_allowance& left) {
  own.tokens_max = std::min(own.tokens_max, left.tokens_max);
  own.cost_usd_micros_max =
    std::min(own.cost_usd_micros_max, left.cost_usd_micros_max);
  own.depth_max =
    std::min(own.depth_max.value_or(default_depth_max), left.depth_max);
  own.descendants_max =
    std::min(own.descendants_max.value_or(default_descendants_max),
             left.descendants_max);
  return own;
}

} // namespace kestrion
