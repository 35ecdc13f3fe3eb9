#include <kestrion/actors/vendor_ids.hpp>

#include <algorithm>
#include <functional>

namespace kestrion {

namespace {

std::uint32_t hash_of(std::string_view id) {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(id));
}

} // namespace

void vendor_ids::add(const message& said) {
  for (const auto& p : said.parts)
    if (const auto* call = std::get_if<tool_call_part>(&p)) {
      const auto hash = hash_of(call->vendor_id);
      hashes_.insert(std::upper_bound(hashes_.begin(), hashes_.end(), hash),
                     hash);
    }
}

void vendor_ids::add(const conversation& said) {
  for (const auto& m : said)
    add(*m);
}

bool vendor_ids::may_have(std::string_view id) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), hash_of(id));
}

} // namespace kestrion
