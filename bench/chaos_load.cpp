#include "chaos_load.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

#include <stdexcept>
#include <vector>

namespace bench {

namespace {

using namespace std::chrono_literals;

/// Until a directory is asked again that is not there, or could not answer.
constexpr auto retry_after = 5ms;

/// One of the runs that are busy.
struct slot {
  kestrion::run_id run;
  bool is_started = false;
  std::uint64_t turn = 0; ///< Answers to what was asked before are late.
};

struct keeper_state {
  static inline const char* name = "bench.keeper";
  std::shared_ptr<const kestrion::run_context> context;
  std::shared_ptr<ledger> world;
  std::shared_ptr<load_counts> counts;
  std::shared_ptr<std::promise<void>> done;
  std::vector<slot> slots;
  std::size_t busy = 0;
  kestrion::directory_actor asked; ///< Monitored.
};
using keeper = caf::stateful_actor<keeper_state>*;

void go_on(keeper self, std::size_t i);

void end(keeper self, const std::string& what_is_wrong = {}) {
  auto& done = *self->state.done;
  if (what_is_wrong.empty())
    done.set_value();
  else
    done.set_exception(
      std::make_exception_ptr(std::runtime_error(what_is_wrong)));
  self->quit();
}

/// The directory of this moment; its end will be told.
kestrion::directory_actor directory_of(keeper self) {
  auto& st = self->state;
  auto now = kestrion::strong<kestrion::directory_actor>(st.context->directory);
  if (now && now != st.asked) {
    st.asked = now;
    self->monitor(now);
  }
  return now;
}

/// Asks the directory; what is not answered is found out by asking anew.
template <class Answer, class Message, class F>
void ask(keeper self, std::size_t i, Message&& m, F on_answer) {
  const auto turn = ++self->state.slots[i].turn;
  const auto directory = directory_of(self);
  if (!directory) {
    self->delayed_send(self, retry_after, std::uint64_t{i}, turn);
    return;
  }
  self->request(directory, caf::infinite, std::forward<Message>(m))
    .then(
      [self, i, turn, on_answer](Answer& answer) {
        if (self->state.slots[i].turn == turn)
          on_answer(answer);
      },
      [self, i, turn](const caf::error&) {
        self->delayed_send(self, retry_after, std::uint64_t{i}, turn);
      });
}

void start_next(keeper self, std::size_t i) {
  auto& st = self->state;
  if (st.counts->ends) {
    st.slots[i].run = {};
    if (--st.busy == 0)
      end(self);
    return;
  }
  st.slots[i].run = kestrion::run_id::make(
    st.context->now(), static_cast<std::uint16_t>(st.context->random()),
    st.context->random());
  st.slots[i].is_started = false;
  go_on(self, i);
}

/// Whatever is to be decided about a run, one after the other.
std::optional<kestrion::command> decision_for(keeper self,
                                              const kestrion::run_result& r) {
  auto& st = self->state;
  if (r.status == kestrion::run_status::parked) {
    return kestrion::unpark_run{"operator", {}};
  }
  if (r.in_doubt.empty())
    return std::nullopt;
  const auto& call = r.in_doubt.front();
  kestrion::resolve_doubt out{{.call = call.call, .by = "operator"}, {}};
  if (st.world->settle(r.id.str() + "/" + call.call)) {
    out.decision.answer = kestrion::doubt_answer::happened;
    out.decision.content = std::string(chaos_payload_bytes, 'x');
  } else {
    out.decision.answer = kestrion::doubt_answer::did_not_happen;
  }
  return out;
}

void on_rest(keeper self, std::size_t i, const kestrion::run_result& r) {
  auto& st = self->state;
  if (r.status == kestrion::run_status::completed) {
    ++st.counts->completed;
    start_next(self, i);
    return;
  }
  auto decision = decision_for(self, r);
  if (!decision)
    return end(self, "run " + r.id.str() + " is "
                       + std::string{to_string(r.status)} + ": " + r.reason);
  const bool is_parked = r.status == kestrion::run_status::parked;
  ask<kestrion::run_receipt>(
    self, i, kestrion::run_command{r.id, std::move(*decision)},
    [self, i, is_parked](const kestrion::run_receipt&) {
      auto& counts = *self->state.counts;
      ++(is_parked ? counts.unparked : counts.resolved);
      go_on(self, i);
    });
}

/// Starting again with the same id gives the run that exists; so asking again
/// is always right.
void go_on(keeper self, std::size_t i) {
  auto& x = self->state.slots[i];
  if (x.is_started) {
    ask<kestrion::run_result>(
      self, i, kestrion::await_run{x.run},
      [self, i](const kestrion::run_result& r) { on_rest(self, i, r); });
    return;
  }
  ask<kestrion::run_receipt>(
    self, i,
    kestrion::start_request{
      "chaos", kestrion::user_message("Begin."), {}, x.run},
    [self, i](const kestrion::run_receipt&) {
      self->state.slots[i].is_started = true;
      ++self->state.counts->started;
      go_on(self, i);
    });
}

caf::behavior keep(keeper self,
                   std::shared_ptr<const kestrion::run_context> context,
                   std::shared_ptr<ledger> world,
                   std::shared_ptr<load_counts> counts,
                   std::shared_ptr<std::promise<void>> done, std::size_t runs) {
  auto& st = self->state;
  st.context = std::move(context);
  st.world = std::move(world);
  st.counts = std::move(counts);
  st.done = std::move(done);
  st.slots.resize(runs);
  st.busy = runs;
  self->set_down_handler([self](const caf::down_msg& down) {
    if (down.source != self->state.asked)
      return;
    for (std::size_t i = 0; i < self->state.slots.size(); ++i)
      if (self->state.slots[i].run)
        go_on(self, i);
  });
  for (std::size_t i = 0; i < runs; ++i)
    start_next(self, i);
  return {
    [self](std::uint64_t i, std::uint64_t turn) {
      if (self->state.slots[i].turn == turn)
        go_on(self, i);
    },
  };
}

} // namespace

load keep_busy(caf::actor_system& system, const kestrion::engine& engine,
               std::shared_ptr<ledger> world,
               std::shared_ptr<load_counts> counts, std::size_t runs) {
  auto done = std::make_shared<std::promise<void>>();
  auto ended = done->get_future();
  auto actor = system.spawn(
    keep, std::shared_ptr<const kestrion::run_context>{engine.context},
    std::move(world), std::move(counts), std::move(done), runs);
  return {std::move(actor), std::move(ended)};
}

} // namespace bench
