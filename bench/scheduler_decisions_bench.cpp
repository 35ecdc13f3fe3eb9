/// How many permits a second the scheduler's actor grants while so many calls
/// wait: each permit is ended at once, and its run asks for the next one. The
/// clock starts when each has had one, so all of them wait from then on. The
/// runs are one actor that does nothing else, so that the scheduler is what is
/// measured; notes go over the desk and grants through mailboxes, as in a
/// runtime.

#include "figures.hpp"

#include <kestrion/actors/scheduler_actor.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t tenants = 20;
constexpr std::int64_t at_a_time = 64;
constexpr std::size_t decisions = 500'000;

struct load {
  std::shared_ptr<kestrion::call_desk> desk =
    std::make_shared<kestrion::call_desk>();
  kestrion::scheduler_actor scheduler;
  std::vector<std::string> names; ///< Of tenants.
  kestrion::call_route route{"vendor", "model", "key"};
  std::size_t runs = 0;
  std::atomic<std::size_t> granted{0};

  template <class Note>
  void tell(Note&& note) {
    if (desk->put(std::forward<Note>(note)))
      caf::anon_send(scheduler, kestrion::look_at_calls{});
  }

  kestrion::run_id run(std::uint64_t permit) const {
    return kestrion::run_id::make(kestrion::timestamp{1h}, 1, permit % runs);
  }

  void ask(std::uint64_t permit, const caf::actor_addr& holder) {
    kestrion::reserve_call note{permit, holder, {}};
    auto& x = note.request;
    x.tenant = names[permit % runs % tenants];
    x.run = run(permit);
    x.agent = "worker";
    x.route = route;
    x.input_bytes = 2'000;
    x.output_tokens_max = 500;
    tell(std::move(note));
  }
};

struct queue_state {
  std::vector<kestrion::call_note> notes;
  std::deque<kestrion::call_decided> waiting;
  caf::actor runs;
  std::int64_t under_way = 0;
};

/// The ceiling: first come, first served, so many at a time, and no limit,
/// budget or weight is looked at. Same desk, same mailboxes.
kestrion::scheduler_actor::behavior_type
first_come(kestrion::scheduler_actor::stateful_pointer<queue_state> self,
           const std::shared_ptr<kestrion::call_desk>& desk) {
  return {
    [self, desk](const kestrion::look_at_calls&) {
      auto& st = self->state;
      desk->take(st.notes);
      for (auto& note : st.notes)
        if (const auto* x = std::get_if<kestrion::reserve_call>(&note)) {
          st.runs = caf::actor_cast<caf::actor>(x->holder);
          st.waiting.push_back({x->permit, {}});
        } else {
          --st.under_way;
        }
      for (; st.under_way < at_a_time && !st.waiting.empty(); ++st.under_way) {
        caf::anon_send(st.runs, std::move(st.waiting.front()));
        st.waiting.pop_front();
      }
    },
    [](const kestrion::declare_limits&) { return true; },
    [](const kestrion::renew_slices&) {},
    [](const kestrion::waiting_query&) { return kestrion::waiting_answer{}; },
    [](const kestrion::figures_query&) {
      return kestrion::scheduler_figures{};
    },
  };
}

/// All runs in one.
caf::behavior holder(caf::event_based_actor* self,
                     const std::shared_ptr<load>& l) {
  return {
    [self, l](const kestrion::call_decided& x) {
      if (x.denied)
        throw std::runtime_error("denied: " + to_string(*x.denied));
      kestrion::call_usage used;
      used.tokens = {.input_tokens = 500, .output_tokens = 100};
      l->tell(kestrion::end_call{l->run(x.permit), x.permit, used, {}});
      if (++l->granted < l->runs + decisions)
        l->ask(x.permit + l->runs, caf::actor_cast<caf::actor_addr>(self));
    },
  };
}

kestrion::call_rules rules() {
  kestrion::call_rules out;
  out.limits.push_back({.name = "at a time",
                        .covers = {},
                        .kind = kestrion::limit_kind::concurrency,
                        .amount = at_a_time});
  out.limits.push_back({.name = "requests",
                        .covers = {},
                        .kind = kestrion::limit_kind::requests,
                        .amount = 1'000'000'000,
                        .shape = kestrion::limit_shape::continuous});
  out.limits.push_back({.name = "tokens",
                        .covers = {},
                        .kind = kestrion::limit_kind::total_tokens,
                        .amount = 1'000'000'000'000,
                        .shape = kestrion::limit_shape::continuous});
  return out;
}

kestrion::scheduler_actor spawn_ours(caf::actor_system& system, const load& l) {
  auto book =
    kestrion::open_permit_book(rules(), kestrion::system_now()).value();
  auto context = std::make_shared<kestrion::run_context>();
  context->calls = l.desk;
  context->now = kestrion::system_now;
  return system.spawn(kestrion::scheduler, std::move(context), std::move(book));
}

struct speed {
  double per_s = 0;
  double cpu_us = 0; ///< Of all threads, for each decision.
};

speed measure_one(std::size_t waiters, bool is_ours) {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", 2U);
  caf::actor_system system{config};
  auto l = std::make_shared<load>();
  l->runs = waiters + at_a_time;
  for (std::size_t i = 0; i < tenants; ++i)
    l->names.push_back("tenant " + std::to_string(i));
  l->scheduler =
    is_ours ? spawn_ours(system, *l) : system.spawn(first_come, l->desk);
  const auto runs = system.spawn(holder, l);
  for (std::uint64_t i = 0; i < l->runs; ++i)
    l->ask(l->runs + i, runs.address());
  bench::wait_until([&] { return l->granted >= l->runs; }, "a first round");
  const auto cpu_before = bench::cpu_time();
  const auto granted_before = l->granted.load();
  const auto took = bench::time_of([&] {
    bench::wait_until([&] { return l->granted >= l->runs + decisions; },
                      "all decisions");
  });
  const auto cpu = bench::cpu_time() - cpu_before;
  const auto granted = static_cast<double>(l->granted - granted_before);
  caf::anon_send_exit(runs, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(l->scheduler, caf::exit_reason::user_shutdown);
  l->scheduler = nullptr;
  return {granted / took.count(), cpu.count() * 1e6 / granted};
}

speed median_of(const std::vector<speed>& all) {
  std::vector<double> per_s;
  std::vector<double> cpu_us;
  for (const auto& each : all) {
    per_s.push_back(each.per_s);
    cpu_us.push_back(each.cpu_us);
  }
  return {bench::median(std::move(per_s)), bench::median(std::move(cpu_us))};
}

/// In turns, so that a busy machine hits both.
void measure_with(std::size_t waiters) {
  constexpr int times = 3;
  std::vector<speed> ours;
  std::vector<speed> bare;
  for (int i = 0; i < times; ++i) {
    bare.push_back(measure_one(waiters, false));
    ours.push_back(measure_one(waiters, true));
  }
  const auto us = median_of(ours);
  const auto ceiling = median_of(bare);
  bench::print(
    {{"bench", "scheduler_decisions"},
     {"waiters", waiters},
     {"decisions", decisions},
     {"decisions_per_s", bench::rounded(us.per_s, 0)},
     {"cpu_us_per_decision", bench::rounded(us.cpu_us, 2)},
     {"ceiling_decisions_per_s", bench::rounded(ceiling.per_s, 0)},
     {"ceiling_cpu_us_per_decision", bench::rounded(ceiling.cpu_us, 2)},
     {"ratio", bench::rounded(us.per_s / ceiling.per_s, 2)}});
}

void measure() {
  for (const std::size_t waiters : {10, 10'000, 100'000})
    measure_with(waiters);
}

} // namespace

int main() {
  return bench::run("scheduler_decisions", measure);
}
