#include <kestrion/actors/run_handle_actor.hpp>

#include <caf/exit_reason.hpp>

namespace kestrion {

namespace {

using handle_self = run_handle_actor::stateful_pointer<run_handle_state>;

/// After the store failed.
constexpr auto ask_again_after = std::chrono::seconds{1};

void later(handle_self self, bool& owes) {
  owes = true;
  self->delayed_send(self, ask_again_after, ask_again{});
}

void await_end(handle_self self) {
  auto& st = self->state;
  st.owes_wait = false;
  self->request(st.front, caf::infinite, await_run{st.run, wait_until::over})
    .then(
      [self](const run_result& r) {
        const auto why = error_of(r);
        self->quit(why ? to_caf(*why) : caf::error{});
      },
      [self](const caf::error& e) {
        const auto code = from_caf(e).code;
        if (!is_ours(e) || code == errc::unavailable)
          self->quit(caf::exit_reason::user_shutdown); // The runtime is gone.
        else if (code == errc::not_found)
          self->quit(e);
        else
          later(self, self->state.owes_wait);
      });
}

/// Its end, however it comes, ends us.
void cancel(handle_self self) {
  auto& st = self->state;
  st.owes_cancel = false;
  const cancel_run command{"a linked actor", st.failure, {}};
  self->request(st.front, caf::infinite, run_command{st.run, command})
    .then([](const run_receipt&) {},
          [self](const caf::error& e) {
            const auto code = from_caf(e).code;
            if (code != errc::refused && code != errc::not_found)
              later(self, self->state.owes_cancel);
          });
}

/// Somebody whom this run was for has failed.
void on_exit(handle_self self, const caf::exit_msg& x) {
  if (x.reason == caf::exit_reason::normal)
    return;
  self->state.failure = "it ended with " + caf::to_string(x.reason);
  cancel(self);
}

} // namespace

run_handle_actor::behavior_type run_handle(handle_self self, run_id run,
                                           front_actor front) {
  self->state.run = run;
  self->state.front = std::move(front);
  self->set_exit_handler([self](const caf::exit_msg& x) { on_exit(self, x); });
  await_end(self);
  // The answers go from the front to who asks, also if we end before.
  const auto decide = [self](auto& x) {
    return self->delegate(self->state.front,
                          run_command{self->state.run, std::move(x)});
  };
  return {
    [decide](approve_call& x) { return decide(x); },
    [decide](deny_call& x) { return decide(x); },
    [decide](resolve_doubt& x) { return decide(x); },
    [decide](answer_question& x) { return decide(x); },
    [decide](send_message& x) { return decide(x); },
    [decide](signal_run& x) { return decide(x); },
    [decide](cancel_run& x) { return decide(x); },
    [decide](unpark_run& x) { return decide(x); },
    [self](const await_this& x) {
      return self->delegate(self->state.front,
                            await_run{self->state.run, x.until});
    },
    [self](const ask_again&) {
      if (self->state.owes_wait)
        await_end(self);
      if (self->state.owes_cancel)
        cancel(self);
    },
    [self](const leave_run&) { self->quit(caf::exit_reason::user_shutdown); },
  };
}

} // namespace kestrion
