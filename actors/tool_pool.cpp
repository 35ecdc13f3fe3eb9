#include <kestrion/actors/tool_pool.hpp>

#include <kestrion/messages/redactor.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kestrion {

namespace {

using watch_self = tool_watch_actor::stateful_pointer<tool_watch_state>;
using clock = std::chrono::steady_clock;
using time_point = tool_pool::time_point;

/// Timeouts are noticed this much late at the most.
constexpr auto sweep_interval_min = std::chrono::milliseconds{10};

/// Runs the tool's code; whatever it throws is an error result.
tool_outcome invoke(const agent_code& agent, const run_tool& effect,
                    const tool_context& context) {
  const auto code = agent.tools.find(effect.tool);
  if (code == agent.tools.end())
    return {"There is no tool \"" + effect.tool + "\" any more.",
            tool_failure::unknown_tool};
  const auto& redaction = agent.definition->redaction;
  const auto arguments =
    redaction ? redaction->reveal(effect.arguments) : effect.arguments;
  try {
    if (effect.interrupted && code->second.probe)
      if (auto happened = code->second.probe(arguments, context))
        return *happened;
    return code->second.run(arguments, context);
  } catch (const permanent_failure& e) {
    return {e.what(), tool_failure::failed, true};
  } catch (const failure& e) {
    return {e.what(), tool_failure::failed, !may_pass(e.code())};
  } catch (const std::exception& e) {
    return {e.what(), tool_failure::failed};
  } catch (...) {
    return {"The tool threw something that is no exception.",
            tool_failure::failed};
  }
}

/// A call that a thread has, or gets as soon as one is free.
struct running_call {
  caf::actor_addr run;
  std::string id;
  std::int64_t attempt = 1;
  std::stop_source stop;
  time_point deadline;
  duration timeout{};
};

void answer(const running_call& x, tool_outcome outcome, duration took) {
  if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(x.run))
    caf::anon_send(caf::actor_cast<caf::actor>(hdl),
                   tool_done{x.id, std::move(outcome), took, {}, x.attempt});
}

/// A call that waits until there is room in its lane.
struct waiting_call {
  tool_work work;
  /// Takes it out at once when its run asks it to stop. Only who made the
  /// call wait sets it, and never under the lock: it may be run by that.
  std::optional<std::stop_callback<std::function<void()>>> withdraw{};
};

/// The calls of one tool that has a concurrency_max.
struct lane {
  std::int64_t inside = 0;
  /// By ticket, so first come, first served.
  std::map<std::uint64_t, std::shared_ptr<waiting_call>> waiting;
};

/// One for each tool of each agent; nothing: it needs none. Names have no '/'.
std::string lane_of(const tool_work& work, const tool_spec* spec) {
  return spec && spec->concurrency_max
           ? work.agent->definition->name + "/" + spec->name
           : "";
}

} // namespace

struct tool_pool::shared : std::enable_shared_from_this<shared> {
  struct job {
    std::uint64_t ticket = 0;
    std::string lane;
    tool_work work;
    std::stop_source stop;
  };

  tool_executor executor;
  tool_timekeeper time;
  std::mutex mutex;
  std::uint64_t last_ticket = 0;
  std::unordered_map<std::uint64_t, running_call> running; ///< By ticket.
  std::set<std::pair<time_point, std::uint64_t>> deadlines;
  std::map<std::string, lane> lanes; ///< Those with calls.
  bool is_watched = false;
  bool is_closed = false;

  void start(tool_work work);
  void withdraw(const std::string& lane, std::uint64_t ticket);
  job enter(std::string lane, std::uint64_t ticket, tool_work work,
            bool& calls);
  void post(job j, bool calls_watch);
  bool is_wanted(const job& j);
  void leave(const std::string& lane);
  void work_on(const job& j);
  void run(const job& j);
};

tool_pool::tool_pool(tool_executor executor, tool_timekeeper time)
  : shared_(std::make_shared<shared>()) {
  shared_->executor = std::move(executor);
  shared_->time = std::move(time);
}

void tool_pool::start(tool_work work) {
  shared_->start(std::move(work));
}

void tool_pool::close() {
  const std::lock_guard lock{shared_->mutex};
  shared_->is_closed = true;
}

void tool_pool::shared::start(tool_work work) {
  const auto* spec = work.agent->definition->find_tool(work.effect.tool);
  const auto name = lane_of(work, spec);
  std::unique_lock lock{mutex};
  const auto ticket = ++last_ticket;
  if (!name.empty()) {
    auto& mine = lanes[name];
    if (mine.inside >= *spec->concurrency_max) {
      const auto stop = work.context.stop;
      const auto waiting = std::make_shared<waiting_call>();
      waiting->work = std::move(work);
      mine.waiting.emplace(ticket, waiting);
      lock.unlock();
      waiting->withdraw.emplace(stop, [weak = weak_from_this(), name, ticket] {
        if (const auto self = weak.lock())
          self->withdraw(name, ticket);
      });
      return;
    }
    ++mine.inside;
  }
  bool calls_watch = false;
  auto j = enter(name, ticket, std::move(work), calls_watch);
  lock.unlock();
  post(std::move(j), calls_watch);
}

/// Nobody wants it any more, so nobody gets an answer.
void tool_pool::shared::withdraw(const std::string& name,
                                 std::uint64_t ticket) {
  std::shared_ptr<waiting_call> gone; // Goes after the lock does.
  const std::lock_guard lock{mutex};
  if (const auto mine = lanes.find(name); mine != lanes.end())
    if (auto x = mine->second.waiting.extract(ticket); !x.empty())
      gone = std::move(x.mapped());
}

/// From here on its time runs. Needs the lock.
/// @param calls  Whether somebody has to be told to look for late calls.
tool_pool::shared::job tool_pool::shared::enter(std::string name,
                                                std::uint64_t ticket,
                                                tool_work work, bool& calls) {
  const auto* spec = work.agent->definition->find_tool(work.effect.tool);
  const auto timeout = spec ? spec->timeout : duration{std::chrono::minutes{5}};
  const auto deadline = time.now() + timeout;
  job j{ticket, std::move(name), std::move(work), std::stop_source{}};
  running.emplace(ticket, running_call{j.work.run, j.work.effect.call,
                                       j.work.effect.attempt, j.stop, deadline,
                                       timeout});
  deadlines.emplace(deadline, ticket);
  calls = !std::exchange(is_watched, true);
  return j;
}

void tool_pool::shared::post(job j, bool calls_watch) {
  if (calls_watch)
    time.watch();
  executor.post(
    [self = shared_from_this(), j = std::move(j)] { self->work_on(j); });
}

/// A call may have waited for a thread until its time was up, its run was
/// cancelled or the runtime ended: then it must not have an effect any more.
bool tool_pool::shared::is_wanted(const job& j) {
  const std::lock_guard lock{mutex};
  if (!is_closed && !j.work.context.stop.stop_requested())
    return running.contains(j.ticket);
  if (const auto x = running.extract(j.ticket); !x.empty())
    deadlines.erase({x.mapped().deadline, j.ticket});
  return false;
}

/// What a thread does.
void tool_pool::shared::work_on(const job& j) {
  if (is_wanted(j))
    run(j);
  if (!j.lane.empty())
    leave(j.lane);
}

void tool_pool::shared::run(const job& j) {
  auto context = j.work.context;
  context.stop = j.stop.get_token();
  // The run may stop the call, and so may our timeout.
  const std::stop_callback forward{j.work.context.stop, [&] {
                                     std::stop_source{j.stop}.request_stop();
                                   }};
  const auto begin = clock::now();
  auto outcome = invoke(*j.work.agent, j.work.effect, context);
  const auto took = std::chrono::duration_cast<duration>(clock::now() - begin);
  std::unique_lock lock{mutex};
  const auto x = running.extract(j.ticket);
  if (x.empty())
    return; // Its time was up; the run has its answer.
  deadlines.erase({x.mapped().deadline, j.ticket});
  lock.unlock();
  answer(x.mapped(), std::move(outcome), took);
}

/// Makes room for who waits longest.
void tool_pool::shared::leave(const std::string& name) {
  std::shared_ptr<waiting_call> next; // Goes after the lock does.
  std::unique_lock lock{mutex};
  const auto mine = lanes.find(name);
  auto& waiting = mine->second.waiting;
  if (waiting.empty() || is_closed) {
    if (--mine->second.inside == 0 && waiting.empty())
      lanes.erase(mine);
    return;
  }
  const auto first = waiting.extract(waiting.begin());
  next = first.mapped();
  bool calls_watch = false;
  auto j = enter(name, first.key(), next->work, calls_watch);
  lock.unlock();
  post(std::move(j), calls_watch);
}

std::optional<time_point> tool_pool::sweep(time_point now) {
  std::vector<running_call> late;
  std::optional<time_point> next;
  {
    const std::lock_guard lock{shared_->mutex};
    auto& deadlines = shared_->deadlines;
    while (!deadlines.empty() && deadlines.begin()->first <= now) {
      const auto ticket = deadlines.begin()->second;
      deadlines.erase(deadlines.begin());
      late.push_back(std::move(shared_->running.extract(ticket).mapped()));
    }
    if (!deadlines.empty())
      next = deadlines.begin()->first;
    shared_->is_watched = next.has_value();
  }
  for (auto& x : late) {
    x.stop.request_stop();
    shared_->executor.abandon();
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
