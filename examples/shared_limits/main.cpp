#include "choose_model.hpp"
#include "stand_in.hpp"

#include <kestrion/kestrion.hpp>

#include <iostream>

int main() try {
  namespace k = kestrion;

  auto worker = k::agent("worker").model(examples::choose_model(stand_in));

  k::runtime rt{{.store = "memory:",
                 .limits = {k::rate_limit("anthropic")
                              .requests_per_minute(1'000)
                              .input_tokens_per_minute(450'000)
                              .output_tokens_per_minute(90'000)
                              .concurrent_calls(1)},
                 .tenant_weights = {{"gold", 4}},
                 .metrics = "127.0.0.1:0"}, // A free port.
                {worker}};

  std::vector<k::run> runs;
  runs.reserve(11);
  for (int i = 0; i < 10; ++i)
    runs.push_back(
      rt.start("worker", "Work.", {.tenant = i % 2 == 0 ? "gold" : "trial"}));
  runs.push_back(rt.start("worker", "A person waits for this.",
                          {.lane = k::call_lane::interactive}));

  runs[0].wait();
  const auto last = runs[9].result(); // Where it is by now, and why.
  std::cout << to_string(last.status) << ": " << last.reason << '\n';

  int completed = 0;
  for (const auto& run : runs)
    if (run.wait().status == k::run_status::completed)
      ++completed;
  const auto figures = rt.figures();
  std::cout << completed << " of " << runs.size() << " runs completed; "
            << figures.granted << " model calls, " << figures.throttled
            << " of them refused by the server\n"
            << "figures: http://127.0.0.1:" << rt.metrics_port()
            << "/metrics\n";
  return completed == 11 ? 0 : 1;
} catch (const kestrion::failure& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
