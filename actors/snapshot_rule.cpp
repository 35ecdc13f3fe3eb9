#include <kestrion/actors/snapshot_rule.hpp>

#include <algorithm>

namespace kestrion {

bool is_snapshot_due(const snapshot_rule& rule, const snapshot_meter& meter,
                     bool leaving) {
  const auto percent = leaving ? rule.percent_leaving : rule.percent_live;
  return meter.tail >= std::max(rule.tail_min, meter.last / 100 * percent);
}

} // namespace kestrion
