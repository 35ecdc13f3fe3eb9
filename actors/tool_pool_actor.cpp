#include <kestrion/actors/tool_pool_actor.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <exception>

namespace kestrion {

namespace {

using pool_self = tool_pool_actor::stateful_pointer<tool_pool_state>;
using clock = std::chrono::steady_clock;

/// Timeouts are noticed this much late at the most.
constexpr auto sweep_interval_min = std::chrono::milliseconds{10};

/// Runs the tool's code; whatever it throws is an error result.
tool_outcome invoke(const agent_code& agent, const run_tool& effect,
                    const tool_context& context) {
  const auto code = agent.tools.find(effect.tool);
  if (code == agent.tools.end())
    return {"There is no tool \"" + effect.tool + "\" any more.",
            tool_failure::unknown_tool};
  try {
    if (effect.interrupted && code->second.probe)
      if (auto happened = code->second.probe(effect.arguments, context))
        return *happened;
    return code->second.run(effect.arguments, context);
  } catch (const std::exception& e) {
    return {e.what(), tool_failure::failed};
  } catch (...) {
    return {"The tool threw something that is no exception.",
            tool_failure::failed};
  }
}

void answer(const caf::actor_addr& run, tool_done done) {
  if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(run))
    caf::anon_send(caf::actor_cast<caf::actor>(hdl), std::move(done));
}

void plan_sweep(pool_self self) {
  auto& st = self->state;
  if (st.sweep_is_due || st.deadlines.empty())
    return;
  st.sweep_is_due = true;
  self->delayed_send(
    self,
    std::max<clock::duration>(sweep_interval_min, st.deadlines.begin()->first
                                                    - self->clock().now()),
    sweep_tools{});
}

void start(pool_self self, tool_work& work) {
  auto& st = self->state;
  const auto ticket = ++st.last_ticket;
  const auto* spec = work.agent->definition->find_tool(work.effect.tool);
  const auto timeout = spec ? spec->timeout : duration{std::chrono::minutes{5}};
  tool_pool_state::running call{work.run, work.effect.call, std::stop_source{},
                                self->clock().now() + timeout, timeout};
  // The run may stop the call, and so may our timeout.
  auto job = [addr = caf::actor_cast<caf::actor_addr>(self), ticket,
              stop = call.stop, work = std::move(work)]() mutable {
    const std::stop_callback forward{work.context.stop, [&] {
                                       stop.request_stop();
                                     }};
    auto context = work.context;
    context.stop = stop.get_token();
    const auto begin = clock::now();
    auto outcome = invoke(*work.agent, work.effect, context);
    const auto took =
      std::chrono::duration_cast<duration>(clock::now() - begin);
    if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(addr))
      caf::anon_send(caf::actor_cast<caf::actor>(hdl),
                     tool_finished{ticket, std::move(outcome), took});
  };
  st.deadlines.emplace(call.deadline, ticket);
  st.calls.emplace(ticket, std::move(call));
  plan_sweep(self);
  st.executor.post(std::move(job));
}

void finish(pool_self self, tool_finished& x) {
  auto& st = self->state;
  const auto call = st.calls.find(x.ticket);
  if (call == st.calls.end())
    return; // Its time was up; the run has its answer.
  answer(call->second.run,
         {call->second.call, std::move(x.outcome), x.duration, {}});
  st.deadlines.erase({call->second.deadline, x.ticket});
  st.calls.erase(call);
}

void sweep(pool_self self) {
  auto& st = self->state;
  st.sweep_is_due = false;
  const auto now = self->clock().now();
  while (!st.deadlines.empty() && st.deadlines.begin()->first <= now) {
    const auto ticket = st.deadlines.begin()->second;
    st.deadlines.erase(st.deadlines.begin());
    auto call = st.calls.extract(ticket);
    auto& x = call.mapped();
    x.stop.request_stop();
    st.executor.abandon();
    answer(
      x.run,
      {x.call,
       {"The tool did not answer within "
          + std::to_string(
            std::chrono::duration_cast<std::chrono::milliseconds>(x.timeout)
              .count())
          + " ms.",
        tool_failure::timed_out},
       x.timeout,
       {}});
  }
  plan_sweep(self);
}

} // namespace

tool_pool_actor::behavior_type tool_pool(pool_self self,
                                         tool_executor executor) {
  self->state.executor = std::move(executor);
  return {
    [self](tool_work& work) { start(self, work); },
    [self](tool_finished& x) { finish(self, x); },
    [self](const sweep_tools&) { sweep(self); },
  };
}

} // namespace kestrion
