/// The process that gets killed. usage: worker FOLDER RUNS
///
/// Sees to it that RUNS runs exist in FOLDER/runs.db, decides whatever they
/// wait for, and ends when all have. Says on standard output what it knows to
/// be durable: "ack RUN SEQ", and "done" at the end.

#include <kestrion/caf.hpp>
#include <kestrion/kestrion.hpp>
#include <kestrion/tests/crash/crash_agent.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <sys/prctl.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <thread>

namespace kestrion::test {

namespace {

/// One write: lines of several threads don't mix, and none is half.
void say(const std::string& line) {
  const auto text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size())
      != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("nobody listens");
}

void acknowledge(const run_receipt& r) {
  say("ack " + r.run.str() + " " + std::to_string(r.seq));
}

/// Talks to the directory as any actor would.
class client {
public:
  explicit client(runtime& rt)
    : directory_(directory_of(rt)), self_(directory_.home_system()) {}

  template <class Answer, class Message>
  Answer ask(Message m) {
    std::optional<Answer> out;
    self_->request(directory_, caf::infinite, std::move(m))
      .receive([&](Answer& a) { out = std::move(a); },
               [](const caf::error& e) { throw failure(from_caf(e)); });
    return std::move(*out);
  }

private:
  directory_actor directory_;
  caf::scoped_actor self_;
};

/// What a person would do: look whether it happened, and say so.
doubt_resolution resolution(const effects_file& effects,
                            const doubtful_call& call) {
  for (const auto& line : effects.lines())
    if (line.key == call.run.str() + "/" + call.call)
      return {call.call, doubt_answer::happened, "operator",
              crash_tool_result(line.tool, line.what)};
  return {call.call, doubt_answer::run_again, "operator", {}};
}

void decide(client& c, const effects_file& effects, const run_result& r) {
  for (const auto& call : r.approvals)
    acknowledge(c.ask<run_receipt>(run_command{
      r.id, approve_call{{.call = call.call, .by = "operator"}, {}}}));
  for (const auto& call : r.in_doubt)
    acknowledge(c.ask<run_receipt>(
      run_command{r.id, resolve_doubt{resolution(effects, call), {}}}));
}

/// From its start, or from where an earlier life left it, to its end.
void drive(runtime& rt, const effects_file& effects, int number) {
  client c(rt);
  const auto name = "order " + std::to_string(number);
  start_request start{"worker", user_message(name), {}};
  start.options.key = name;
  const auto receipt = c.ask<run_receipt>(start);
  acknowledge(receipt);
  for (;;) {
    const auto r = c.ask<run_result>(await_run{receipt.run});
    if (r.status == run_status::completed)
      return;
    if (r.status != run_status::waiting_on_human)
      throw std::runtime_error(r.id.str() + " is "
                               + std::string{to_string(r.status)} + ": "
                               + r.reason);
    decide(c, effects, r);
  }
}

/// Says all the time what readers of the store can see.
void watch(const runtime& rt, const std::stop_token& stop) {
  std::map<run_id, std::uint64_t> seen;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any tick;
  while (!stop.stop_requested()) {
    for (const auto& row : rt.list())
      if (auto& last = seen[row.id]; last != row.last_seq) {
        last = row.last_seq;
        acknowledge({row.id, last});
      }
    tick.wait_for(lock, stop, std::chrono::milliseconds{2},
                  [] { return false; });
  }
}

void work(const std::filesystem::path& folder, int runs) {
  const effects_file effects{folder / "effects.txt"};
  caf::actor_system_config config;
  caf::actor_system system{config};
  runtime rt{system,
             {.store = "sqlite:///" + (folder / "runs.db").string()},
             {crash_agent(effects)}};
  std::jthread watcher([&](const std::stop_token& stop) { watch(rt, stop); });
  {
    std::vector<std::jthread> drivers;
    drivers.reserve(static_cast<std::size_t>(runs));
    for (int i = 0; i < runs; ++i)
      drivers.emplace_back([&, i] {
        try {
          drive(rt, effects, i);
        } catch (const std::exception& e) {
          std::cerr << "worker: " << e.what() << std::endl;
          std::_Exit(1);
        }
      });
  }
  say("done");
}

} // namespace

} // namespace kestrion::test

int main(int argc, char** argv) try {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // Never outlives the test.
  if (argc != 3)
    throw std::invalid_argument("usage: worker FOLDER RUNS");
  kestrion::test::work(argv[1], std::stoi(argv[2]));
} catch (const std::exception& e) {
  std::cerr << "worker: " << e.what() << '\n';
  return 1;
}
