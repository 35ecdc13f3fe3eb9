#include <kestrion/scheduler/limit_spec.hpp>

namespace kestrion {

namespace {

bool fits(const std::string& wanted, const std::string& have) {
  return wanted.empty() || wanted == have;
}

} // namespace

bool route_matcher::covers(const call_route& route) const {
  return fits(provider, route.provider) && fits(model, route.model)
         && fits(key, route.key);
}

} // namespace kestrion
