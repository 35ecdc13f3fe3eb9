#include <kestrion/actors/tool_pool.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <exception>

namespace kestrion {

namespace {

using watch_self = tool_watch_actor::stateful_pointer<tool_watch_state>;
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

} // namespace

bool tool_pool::start(tool_work work, time_point now) {
  const auto* spec = work.agent->definition->find_tool(work.effect.tool);
  const auto timeout = spec ? spec->timeout : duration{std::chrono::minutes{5}};
  std::stop_source stop;
  call x{work.run, work.effect.call, work.effect.attempt,
         stop,     now + timeout,    timeout};
  std::uint64_t ticket = 0;
  bool is_first = false;
  {
    const std::lock_guard lock{calls_->mutex};
    ticket = ++calls_->last_ticket;
    calls_->deadlines.emplace(x.deadline, ticket);
    calls_->open.emplace(ticket, std::move(x));
    is_first = !std::exchange(calls_->is_watched, true);
  }
  executor_.post(
    [all = calls_, ticket, stop = std::move(stop), work = std::move(work)] {
      work_on(*all, ticket, stop, work);
    });
  return is_first;
}

/// A call may have waited for a thread until its time was up, or until its run
/// was cancelled: then it must not have an effect any more.
bool tool_pool::still_wanted(calls& all, std::uint64_t ticket,
                             const tool_work& work) {
  const std::lock_guard lock{all.mutex};
  if (!work.context.stop.stop_requested())
    return all.open.contains(ticket);
  if (const auto x = all.open.extract(ticket); !x.empty())
    all.deadlines.erase({x.mapped().deadline, ticket});
  return false;
}

/// What a thread does.
void tool_pool::work_on(calls& all, std::uint64_t ticket,
                        const std::stop_source& stop, const tool_work& work) {
  if (!still_wanted(all, ticket, work))
    return;
  auto context = work.context;
  context.stop = stop.get_token();
  // The run may stop the call, and so may our timeout.
  const std::stop_callback forward{work.context.stop, [&] {
                                     stop.request_stop();
                                   }};
  const auto begin = clock::now();
  auto outcome = invoke(*work.agent, work.effect, context);
  const auto took = std::chrono::duration_cast<duration>(clock::now() - begin);
  std::unique_lock lock{all.mutex};
  const auto x = all.open.extract(ticket);
  if (x.empty())
    return; // Its time was up; the run has its answer.
  all.deadlines.erase({x.mapped().deadline, ticket});
  lock.unlock();
  answer(x.mapped(), std::move(outcome), took);
}

void tool_pool::answer(const call& x, tool_outcome outcome, duration took) {
  if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(x.run))
    caf::anon_send(caf::actor_cast<caf::actor>(hdl),
                   tool_done{x.id, std::move(outcome), took, {}, x.attempt});
}

std::optional<tool_pool::time_point> tool_pool::sweep(time_point now) {
  std::vector<call> late;
  std::optional<time_point> next;
  {
    const std::lock_guard lock{calls_->mutex};
    auto& deadlines = calls_->deadlines;
    while (!deadlines.empty() && deadlines.begin()->first <= now) {
      const auto ticket = deadlines.begin()->second;
      deadlines.erase(deadlines.begin());
      late.push_back(std::move(calls_->open.extract(ticket).mapped()));
    }
    if (!deadlines.empty())
      next = deadlines.begin()->first;
    calls_->is_watched = next.has_value();
  }
  for (auto& x : late) {
    x.stop.request_stop();
    executor_.abandon();
    const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(x.timeout);
    answer(
      x,
      {"The tool did not answer within " + std::to_string(ms.count()) + " ms.",
       tool_failure::timed_out},
      x.timeout);
  }
  return next;
}

tool_watch_actor::behavior_type tool_watch(watch_self self,
                                           std::shared_ptr<tool_pool> pool) {
  self->state.pool = std::move(pool);
  return {
    [self](const sweep_tools&) {
      const auto now = self->clock().now();
      if (const auto next = self->state.pool->sweep(now))
        self->delayed_send(
          self, std::max<clock::duration>(sweep_interval_min, *next - now),
          sweep_tools{});
    },
  };
}

} // namespace kestrion
