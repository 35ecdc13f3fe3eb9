#include <kestrion/kestrion.hpp>
#include <kestrion/testing.hpp>

#include <iostream>
#include <memory>

/// A test of the consumer's own, with the kit that is installed.
int main() try {
  namespace k = kestrion;
  const auto no_costs = k::forbid_model_calls();
  const auto scaled = std::make_shared<int>(0);
  const auto report = k::crash_everywhere(
    [&] {
      *scaled = 0;
      return std::vector{
        k::agent("ops")
          .model(k::model_by_turn({k::calls({{"scale", "{}"}}), k::says("ok")}))
          .tool(
            "scale", "Scales.", [scaled] { return ++*scaled; },
            k::requires_approval("engineer"))};
    },
    {.check = [&](const k::run_result&) {
      if (*scaled != 1)
        throw std::runtime_error("scaled " + std::to_string(*scaled)
                                 + " times");
    }});
  std::cout << report.tried.size() << " crash points tried " << report.failure
            << '\n';
  return report.failure.empty() && report.tried.size() >= 10 ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
