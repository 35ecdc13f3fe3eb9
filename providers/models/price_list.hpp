#pragma once

#include <kestrion/providers/models/prices.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace kestrion {

/// The public prices, standard tier, as the vendors' pages had them in November
/// 2026. Cache writes are Claude's for five minutes; where a vendor does not
/// bill them apart they cost what input costs.
std::map<std::string, std::vector<price_row>, std::less<>> public_prices();

} // namespace kestrion
