/// A process that starts runs by the clock and gets killed. usage:
/// schedule_worker FOLDER. Opens FOLDER/runs.db and says "at N" when its Nth
/// run is completed, and "done" when the schedule "past" has nothing to
/// backfill any more.

#include <kestrion/kestrion.hpp>

#include <sys/prctl.h>

#include <csignal>
#include <future>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
  namespace k = kestrion;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // Dies with the test.
  if (argc != 2)
    throw std::runtime_error{"usage: schedule_worker FOLDER"};
  auto clerk = k::agent("clerk").model(
    k::function_model([](const k::model_request&) { return k::says("done"); }));
  k::runtime rt{{.store = "sqlite:///" + std::string{argv[1]} + "/runs.db"},
                {clerk}};
  std::cout << "up" << std::endl;
  std::promise<void> done;
  bool is_done = false;
  int completed = 0;
  const auto watched = rt.watch(
    {.kinds = {std::string{k::run_completed::tag}}}, [&](const k::run_event&) {
      std::cout << "at " + std::to_string(++completed) + "\n" << std::flush;
      if (!is_done && rt.schedules().at(0).backfills == 0) {
        is_done = true;
        done.set_value();
      }
    });
  if (rt.schedules().at(0).backfills != 0)
    done.get_future().wait();
  std::cout << "done\n" << std::flush; // At once: the watcher may still talk.
  return 0;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
