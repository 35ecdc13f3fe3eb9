#include <kestrion/actors/fan_out_actor.hpp>

#include <caf/typed_response_promise.hpp>

#include <utility>

namespace kestrion {

namespace {

using fan_out_self = fan_out_actor::stateful_pointer<fan_out_state>;

void pump(fan_out_self self);

/// A fault of ours or of the runtime, not of one run.
void give_up(fan_out_self self, const error& why) {
  self->state.fail(why);
  self->quit();
}

/// What can't be started, or waited for, has failed.
void end_badly(fan_out_self self, std::size_t i, const error& why) {
  auto& st = self->state;
  if (why.code == errc::unavailable)
    return give_up(self, why);
  run_result r;
  r.id = st.runs[i].value_or(run_id{});
  r.agent = st.starts[i].agent;
  r.status = run_status::failed;
  r.code = to_string(why.code);
  r.reason = why.detail;
  st.plan->end(i, std::move(r));
  pump(self);
}

void await_end(fan_out_self self, std::size_t i) {
  auto& st = self->state;
  self
    ->request(st.front, caf::infinite,
              await_run{*st.runs[i], wait_until::ended})
    .then(
      [self, i](run_result& r) {
        self->state.plan->end(i, std::move(r));
        pump(self);
      },
      [self, i](const caf::error& e) { end_badly(self, i, from_caf(e)); });
}

void start(fan_out_self self, std::size_t i) {
  auto& st = self->state;
  ++st.under_way;
  self->request(st.front, caf::infinite, st.starts[i])
    .then(
      [self, i](const run_receipt& r) {
        auto& state = self->state;
        --state.under_way;
        state.runs[i] = r.run;
        if (!state.plan->is_over())
          await_end(self, i);
        pump(self);
      },
      [self, i](const caf::error& e) {
        --self->state.under_way;
        end_badly(self, i, from_caf(e));
      });
}

void cancel(fan_out_self self, const run_id& run) {
  auto& st = self->state;
  ++st.under_way;
  const cancel_run command{"first_of", "another run was the first", {}};
  self->request(st.front, caf::infinite, run_command{run, command})
    .then(
      [self](const run_receipt&) {
        --self->state.under_way;
        pump(self);
      },
      [self, run](const caf::error& e) {
        --self->state.under_way;
        const auto why = from_caf(e);
        if (why.code == errc::conflict)
          cancel(self, run); // It got on elsewhere at the same moment.
        else if (why.code == errc::refused)
          pump(self); // It has ended.
        else
          give_up(self, why);
      });
}

/// Starts what may start; once it is over, cancels what is left, and answers.
void pump(fan_out_self self) {
  auto& st = self->state;
  if (!st.done)
    return;
  while (const auto i = st.plan->next())
    start(self, *i);
  if (!st.plan->is_over())
    return;
  for (const auto i : st.plan->left())
    if (const auto run = std::exchange(st.runs[i], std::nullopt))
      cancel(self, *run);
  if (st.under_way != 0)
    return;
  std::exchange(st.done, {})();
  self->quit();
}

/// @param answer  Makes the answer of a plan that is over.
template <class Answer, class Request, class Make>
caf::result<Answer> begin(fan_out_self self, Request& x, Make answer) {
  auto& st = self->state;
  constexpr bool wants_first = std::is_same_v<Request, start_first_of>;
  if (const auto checked = check(x.options, x.starts.size(), wants_first);
      !checked) {
    self->quit();
    return to_caf(checked.error());
  }
  st.starts = std::move(x.starts);
  for (std::size_t i = 0; i < st.starts.size(); ++i)
    if (auto& key = st.starts[i].options.key; !key && x.options.key)
      key = *x.options.key + "/" + std::to_string(i);
  st.runs.resize(st.starts.size());
  st.plan.emplace(st.starts.size(), x.options.at_once,
                  wants_first ? std::optional{x.options.first} : std::nullopt);
  if (const auto asker = self->current_sender())
    self->monitor(asker);
  auto promise = self->template make_response_promise<Answer>();
  st.done = [self, promise, answer]() mutable {
    promise.deliver(answer(std::move(*self->state.plan)));
  };
  st.fail = [promise](const error& why) mutable {
    promise.deliver(to_caf(why));
  };
  pump(self);
  return promise;
}

} // namespace

fan_out_actor::behavior_type fan_out(fan_out_self self, front_actor front) {
  self->state.front = std::move(front);
  self->set_down_handler([self](const caf::down_msg&) {
    self->quit(); // Nobody waits any more.
  });
  return {
    [self](start_all_of& x) {
      return begin<fan_out_results>(self, x, [](fan_out_plan&& plan) {
        return fan_out_results{std::move(plan).all()};
      });
    },
    [self](start_first_of& x) {
      return begin<run_result>(
        self, x, [](fan_out_plan&& plan) { return std::move(plan).winner(); });
    },
  };
}

} // namespace kestrion
