/// Starts runs by the clock, and says what came of it.

#include <kestrion/kestrion.hpp>

#include <algorithm>
#include <future>
#include <iostream>
#include <string_view>
#include <thread>

namespace {

/// Whether a schedule knows the run that it started last.
bool is_noted(const kestrion::runtime& rt, std::string_view name) {
  const auto all = rt.schedules();
  return std::any_of(all.begin(), all.end(), [&](const auto& each) {
    return each.request.name == name && each.last_run;
  });
}

} // namespace

int main() try {
  namespace k = kestrion;
  using namespace std::chrono_literals;

  // Needs no key: it says what anybody would say.
  auto reporter =
    k::agent("reporter").model(k::function_model([](const k::model_request&) {
      return k::says("All is well.");
    }));
  k::runtime rt{{.store = "memory:"}, {reporter}};

  // At each start of the program: the same again changes nothing.
  rt.schedule({.name = "nightly",
               .agent = "reporter",
               .input = k::user_message("Sum up what happened yesterday."),
               .times = k::cron("30 2 * * MON-FRI", "Europe/Berlin")});
  rt.schedule({.name = "watch",
               .agent = "reporter",
               .input = k::user_message("Is all well?"),
               .times = k::every(15min),
               .missed = k::missed_ticks::skip});

  // A run now, beside the ticks.
  std::cout << "now: " << rt.trigger_schedule("nightly").wait().output << '\n';

  // Once, in half a second, and what would have been in the last two hours.
  std::promise<void> nine;
  int ended = 0;
  const auto watched = rt.watch({.kinds = {std::string{k::run_completed::tag}}},
                                [&](const k::run_event&) {
                                  if (++ended == 9)
                                    nine.set_value();
                                });
  const auto now = k::system_now();
  rt.schedule({.name = "once",
               .agent = "reporter",
               .input = k::user_message("Half a second has passed."),
               .times = k::at(now + 500ms)});
  rt.pause_schedule("watch", "ana");
  rt.backfill_schedule("watch", now - 2h, now);
  nine.get_future().wait();
  while (!is_noted(rt, "once")) // A run may end before its start is noted.
    std::this_thread::sleep_for(10ms);

  for (const auto& each : rt.schedules()) {
    std::cout << each.request.name << ": ";
    if (each.paused_by)
      std::cout << "paused by " << *each.paused_by;
    else if (each.next_tick)
      std::cout << "next at " << k::to_string(*each.next_tick);
    else
      std::cout << "no more";
    if (each.last_run)
      std::cout << "; the last run is " << each.last_run->str();
    std::cout << '\n';
  }
  return 0;
} catch (const kestrion::failure& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
