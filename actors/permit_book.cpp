#include <kestrion/actors/permit_book.hpp>

#include <algorithm>

namespace kestrion {

namespace {

constexpr double weight_min = 0.001;
constexpr double weight_max = 1'000;

std::string budget_name(const std::string& tenant) {
  return "tenant " + tenant;
}

} // namespace

permit_book::permit* permit_book::holder::find(std::uint64_t number) {
  const auto found = std::ranges::find(permits, number, &permit::number);
  return found == permits.end() ? nullptr : &*found;
}

permit_book::permit* permit_book::holder::find_ticket(call_ticket ticket) {
  const auto found = std::ranges::find(permits, ticket, &permit::ticket);
  return found == permits.end() ? nullptr : &*found;
}

std::string place_budgets(token_scheduler& scheduler, const std::string& tenant,
                          const std::vector<run_budget>& runs, timestamp now) {
  const auto& tree = scheduler.budgets();
  if (runs.empty() && tree.empty())
    return {};
  auto top = tenant.empty() ? "" : budget_name(tenant);
  if (!tree.find(top))
    top.clear();
  std::string name = top;
  for (const auto& run : runs) {
    name = budget_name(run.run);
    auto above = run.parent ? budget_name(*run.parent) : top;
    if (!tree.find(above))
      above = top; // It has ended, and this one has not.
    if (const auto known = tree.find(name))
      above = tree.parent_name(*known);
    scheduler.set_budget(name, above, run.limits, now, run.used).value();
  }
  return name;
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
    if (auto set = scheduler.set_budget(budget_name(tenant), {}, limits, now);
        !set)
      return set.error();
  return book;
}

} // namespace kestrion
