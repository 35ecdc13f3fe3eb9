#include <kestrion/actors/permit_book.hpp>

namespace kestrion {

namespace {

constexpr double weight_min = 0.001;
constexpr double weight_max = 1'000;

} // namespace

std::string tenant_budget(const std::string& tenant) {
  return "tenant " + tenant;
}

result<std::shared_ptr<permit_book>> open_permit_book(const call_rules& rules,
                                                      timestamp now) {
  auto book = std::make_shared<permit_book>(rules.options);
  auto& scheduler = book->scheduler;
  for (const auto& limit : rules.limits)
    if (auto declared = scheduler.declare(limit, now); !declared)
      return declared.error();
  for (const auto& [tenant, weight] : rules.weights) {
    if (!(weight >= weight_min && weight <= weight_max))
      return error{errc::invalid_argument, "the weight of tenant \"" + tenant
                                             + "\" is " + std::to_string(weight)
                                             + "; expected 0.001 to 1,000"};
    scheduler.set_weight(tenant, weight);
  }
  for (const auto& [tenant, limits] : rules.budgets)
    if (auto set = scheduler.set_budget(tenant_budget(tenant), {}, limits, now);
        !set)
      return set.error();
  return book;
}

} // namespace kestrion
