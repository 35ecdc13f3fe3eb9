#include <kestrion/actors/runtime.hpp>

#include <kestrion/actors/asker.hpp>
#include <kestrion/actors/draft_range.hpp>
#include <kestrion/actors/engine.hpp>
#include <kestrion/actors/event_callback.hpp>
#include <kestrion/actors/limit_leases.hpp>
#include <kestrion/actors/open_runtime.hpp>
#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/schedule_actor.hpp>
#include <kestrion/actors/schedule_book.hpp>
#include <kestrion/actors/scheduler_metrics.hpp>
#include <kestrion/caf.hpp>
#include <kestrion/providers/metrics/metrics_server.hpp>
#include <kestrion/providers/tools/worker_pool.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <random>
#include <thread>

namespace kestrion {

namespace {

/// Fresh randomness for ids and jitter; each thread has a generator.
std::uint64_t random_bits() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64{seed};
  }();
  return generator();
}

} // namespace

agent_registry build_all(const std::vector<agent>& agents) {
  agent_registry out;
  for (const auto& a : agents) {
    auto code = a.build().value();
    if (!out.emplace(a.name(), std::move(code)).second)
      throw failure({errc::invalid_argument,
                     "the agent \"" + a.name() + "\" is registered twice"});
  }
  return out;
}

namespace {

call_rules rules_of(const runtime_options& options) {
  call_rules out;
  for (const auto& each : options.limits)
    out.limits.insert(out.limits.end(), each.specs().begin(),
                      each.specs().end());
  out.weights = options.tenant_weights;
  out.budgets = options.tenant_budgets;
  out.options = options.scheduling;
  return out;
}

start_request as_message(run_request x) {
  start_request out{std::move(x.agent), std::move(x.input), {}};
  out.options.key = std::move(x.options.key);
  out.options.tenant = std::move(x.options.tenant);
  out.options.labels = std::move(x.options.labels);
  if (x.options.lane != call_lane::batch)
    out.options.lane = x.options.lane;
  if (x.options.priority != 0)
    out.options.priority = x.options.priority;
  out.options.deadline = x.options.deadline;
  return out;
}

std::vector<start_request> as_messages(std::vector<run_request> all) {
  std::vector<start_request> out;
  out.reserve(all.size());
  for (auto& x : all)
    out.push_back(as_message(std::move(x)));
  return out;
}

error no_such_run(const run_id& id) {
  return {errc::not_found, "there is no run " + id.str() + " in this store"};
}

/// That its model call waits is in no log.
void show_wait(run_result& r, const runtime& rt) {
  if (r.status == run_status::running)
    if (const auto why = rt.waiting(r.id))
      show_throttled(r, *why);
}

/// An actor system of our own.
struct own_system {
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;

  explicit own_system(std::size_t threads) {
    if (threads == 0) // CAF would take 4 at least.
      threads = std::max(std::thread::hardware_concurrency(), 1U);
    config.set("scheduler.max-threads", threads);
    // An actor that has much to do lets others have their turn; else all that
    // it makes ready piles up at one worker, which the others search in vain.
    config.set("scheduler.max-throughput", 50);
    system = std::make_unique<caf::actor_system>(config);
  }
};

} // namespace

struct runtime::impl {
  // Destroyed in reverse: the system goes last, when no actor is left.
  std::unique_ptr<own_system> own;
  caf::actor_system& system;
  std::shared_ptr<event_store> store;
  std::shared_ptr<const agent_registry> agents;
  worker_pool workers;
  kestrion::engine engine;
  std::unique_ptr<metrics_server> metrics;

  impl(std::unique_ptr<own_system> mine, caf::actor_system& sys,
       const runtime_options& options, const std::vector<agent>& known)
    : impl(std::move(mine), sys, options, build_all(known),
           open_store(options.store).value()) {}

  impl(std::unique_ptr<own_system> mine, caf::actor_system& sys,
       const runtime_options& options, agent_registry known,
       std::shared_ptr<event_store> all_runs)
    : own(std::move(mine)), system(sys), store(std::move(all_runs)),
      agents(std::make_shared<const agent_registry>(std::move(known))),
      workers(options.tool_threads_max) {
    engine = start_engine(system,
                          {store,
                           {[this](auto job) { workers.post(std::move(job)); },
                            [this] {
                              workers.replace_one();
                            }},
                           system_now,
                           random_bits},
                          {.restarts = options.restarts,
                           .calls = rules_of(options),
                           .passivates = options.passivate,
                           .recover = options.recover,
                           .store_is_shared = options.store != "memory:"},
                          agents);
    caf::scoped_actor self{system};
    self->request(engine.root, caf::infinite, meet_supervisor{})
      .receive([](bool) {}, [](const caf::error&) {});
    if (!options.metrics.empty())
      serve_metrics(options.metrics);
  }

  ~impl() {
    metrics.reset();
    stop();
  }

  void serve_metrics(const std::string& address) {
    try {
      metrics = std::make_unique<metrics_server>(address, [this] {
        const auto figures = ask_scheduler<scheduler_figures>(figures_query{});
        return figures ? metrics_of(*figures) : std::vector<metric_family>{};
      });
    } catch (...) {
      stop(); // There is no destructor yet that would.
      throw;
    }
  }

  void stop() {
    engine.stop();
    caf::scoped_actor self{system};
    self->wait_for(engine.root, engine.front);
    // If it fails our slices come back when our leases are over.
    static_cast<void>(
      leave_limits(*store, engine.context->process, system_now()));
  }

  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  /// @par Errors `unavailable` while it is being started anew.
  template <class Answer, class Message>
  kestrion::result<Answer> ask_scheduler(Message m) {
    kestrion::result<Answer> out =
      error{errc::unavailable, "the scheduler is being started anew"};
    caf::scoped_actor self{system};
    self->request(engine.context->scheduler.get(), caf::infinite, std::move(m))
      .receive([&](Answer& x) { out = std::move(x); },
               [&](const caf::error& e) {
                 if (is_ours(e))
                   out = from_caf(e);
               });
    return out;
  }

  /// Asks the front. @returns What is answered, and who asks.
  template <class Answer, class Message>
  std::pair<std::future<kestrion::result<Answer>>, caf::actor>
  question(Message m) {
    auto promise = std::make_shared<std::promise<kestrion::result<Answer>>>();
    auto answer = promise->get_future();
    auto asker = spawn_asker<Answer>(system, engine.front, std::move(m),
                                     [promise](kestrion::result<Answer> r) {
                                       promise->set_value(std::move(r));
                                     });
    return {std::move(answer), std::move(asker)};
  }

  /// Asks the front and waits for its answer. @throws failure
  template <class Answer, class Message>
  Answer ask(Message m) {
    return std::move(question<Answer>(std::move(m)).first.get().value());
  }
};

runtime::runtime(const runtime_options& options,
                 const std::vector<agent>& agents) {
  auto own = std::make_unique<own_system>(options.actor_threads);
  auto& system = *own->system;
  impl_ = std::make_unique<impl>(std::move(own), system, options, agents);
}

runtime::runtime(caf::actor_system& system, const runtime_options& options,
                 const std::vector<agent>& agents)
  : impl_(std::make_unique<impl>(nullptr, system, options, agents)) {}

runtime::runtime(std::unique_ptr<impl> made) : impl_(std::move(made)) {}

runtime::~runtime() = default;

// -- runs ---------------------------------------------------------------------

run runtime::start(std::string_view agent, std::string prompt,
                   start_options options) {
  return start(agent, user_message(std::move(prompt)), std::move(options));
}

run runtime::start(std::string_view agent, message input,
                   start_options options) {
  auto request =
    as_message({std::string{agent}, std::move(input), std::move(options)});
  return {*this, impl_->ask<run_receipt>(std::move(request)).run};
}

std::vector<run_result> runtime::all_of(std::vector<run_request> requests,
                                        fan_out_options options) {
  return impl_
    ->ask<fan_out_results>(
      start_all_of{as_messages(std::move(requests)), std::move(options)})
    .results;
}

run_result runtime::first_of(std::vector<run_request> requests,
                             fan_out_options options) {
  return impl_->ask<run_result>(
    start_first_of{as_messages(std::move(requests)), std::move(options)});
}

subscription
runtime::watch(event_filter filter,
               std::function<void(const run_event&)> on_event,
               std::function<void(const events_missed&)> on_missed) {
  auto [subscriber, out] =
    spawn_event_callback(impl_->system, impl_->engine.front,
                         std::move(on_event), std::move(on_missed));
  impl_->ask<bool>(watch_events{std::move(filter), std::move(subscriber)});
  return std::move(out);
}

subscription
runtime::watch_drafts(const run_id& id,
                      std::function<void(const draft_update&)> on_update) {
  auto [subscriber, out] = spawn_draft_callback(
    impl_->system, impl_->engine.front, std::move(on_update));
  impl_->ask<bool>(kestrion::watch_drafts{id, std::move(subscriber)});
  return std::move(out);
}

run runtime::find(const run_id& id) {
  if (!impl_->store->find(id).value())
    throw failure(no_such_run(id));
  return {*this, id};
}

run runtime::find(std::string_view id) {
  return find(run_id::parse(id).value());
}

std::vector<run_row> runtime::list(const run_query& query) const {
  return impl_->store->list(query).value();
}

std::vector<recorded_event> runtime::events(const run_id& id) const {
  auto events = load_events(*impl_->store, id).value();
  if (events.empty())
    throw failure(no_such_run(id));
  return events;
}

run_trace runtime::trace(const run_id& id) const {
  auto out = trace_of(id, events(id));
  show_wait(out.result, *this);
  return out;
}

run_result runtime::result(const run_id& id) const {
  const auto state = load_run(*impl_->store, id).value();
  if (state.progress.seq == 0)
    throw failure(no_such_run(id));
  auto out = result_of(id, state);
  show_wait(out, *this);
  return out;
}

replay_report runtime::replay(const run_id& id) const {
  const auto row = find_row(*impl_->store, id).value();
  return replay_run(*impl_->store, *impl_->agents, row).value();
}

std::vector<replay_report> runtime::divergences(run_query query) const {
  return find_divergences(*impl_->store, *impl_->agents, std::move(query))
    .value();
}

std::string runtime::put_blob(std::string_view bytes) {
  return impl_->store->put_blob(bytes).value();
}

std::string runtime::get_blob(std::string_view hash) const {
  return impl_->store->get_blob(hash).value();
}

// -- limits -------------------------------------------------------------------

void runtime::declare(const rate_limit& limit) {
  static_cast<void>(
    impl_->ask_scheduler<bool>(declare_limits{limit.specs()}).value());
}

std::optional<call_waiting> runtime::waiting(const run_id& id) const {
  if (impl_->engine.context->calls->waiting == 0)
    return std::nullopt;
  const auto answer = impl_->ask_scheduler<waiting_answer>(waiting_query{id});
  return answer ? answer->why : std::nullopt;
}

scheduler_figures runtime::figures() const {
  return impl_->ask_scheduler<scheduler_figures>(figures_query{}).value();
}

int runtime::metrics_port() const {
  return impl_->metrics ? impl_->metrics->port() : 0;
}

// -- people -------------------------------------------------------------------

std::vector<pending_approval> runtime::approvals() const {
  std::vector<pending_approval> out;
  run_query query;
  query.statuses = {run_status::waiting_on_human};
  for (;;) {
    const auto rows = list(query);
    for (const auto& row : rows)
      for (auto& each : result(row.id).approvals)
        out.push_back(std::move(each));
    if (rows.size() < query.limit)
      return out;
    query.after = rows.back().id;
  }
}

void runtime::tell(const run_id& id, command c) {
  impl_->ask<run_receipt>(run_command{id, std::move(c)});
}

void runtime::approve(const run_id& id, approval decision) {
  tell(id, approve_call{std::move(decision), {}});
}

void runtime::deny(const run_id& id, denial decision) {
  tell(id, deny_call{std::move(decision), {}});
}

void runtime::resolve(const run_id& id, doubt_resolution decision) {
  tell(id, resolve_doubt{std::move(decision), {}});
}

void runtime::answer(const run_id& id, question_answer answer) {
  tell(id, answer_question{std::move(answer), {}});
}

void runtime::steer(const run_id& id, message what, steer_options options) {
  tell(id, send_message{
             std::move(what), std::move(options.by), options.interrupt, {}});
}

void runtime::steer(const run_id& id, std::string what, steer_options options) {
  steer(id, user_message(std::move(what)), std::move(options));
}

void runtime::signal(const run_id& id, std::string name, std::string data,
                     std::string by) {
  tell(id, signal_run{std::move(name), std::move(data), std::move(by), {}});
}

void runtime::cancel(const run_id& id, std::string by, std::string reason) {
  tell(id, cancel_run{std::move(by), std::move(reason), {}});
}

void runtime::unpark(const run_id& id, std::string by) {
  tell(id, unpark_run{std::move(by), {}});
}

// -- schedules ----------------------------------------------------------------

namespace {

/// What a start would say, without one.
result<void> check_start(const agent_registry& agents,
                         const schedule_request& r, timestamp now) {
  const auto code = find_agent(agents, r.agent);
  if (!code)
    return code.error();
  auto header = header_of(r);
  header.agent = r.agent;
  const auto decided = decide({}, *(*code)->definition,
                              start_run{std::move(header), r.input, now});
  if (!decided)
    return decided.error();
  return {};
}

/// Its actor looks at once, not only when it checks the clock.
void tell_schedules(const run_context& context) {
  if (const auto actor = strong<schedule_actor>(context.schedules))
    caf::anon_send(actor, look_at_schedules{});
}

schedule_status status_of(const stored_schedule& s, timestamp now) {
  const auto& state = s.state;
  schedule_status out{s.request,
                      {},
                      state.last_tick,
                      state.last_run,
                      state.paused_by,
                      state.problem,
                      state.backfills.size()};
  if (const auto ticks = tick_series::make(s.request.times))
    out.next_tick = plan_ticks(*ticks, s.request, state, now, 0).next;
  else
    out.problem = ticks.error().detail;
  return out;
}

} // namespace

void runtime::schedule(schedule_request request) {
  const auto& context = *impl_->engine.context;
  check_start(*impl_->agents, request, context.now()).value();
  put_schedule(*impl_->store, std::move(request), context.now()).value();
  tell_schedules(context);
}

void runtime::unschedule(std::string_view name) {
  remove_schedule(*impl_->store, name).value();
}

void runtime::pause_schedule(std::string_view name, std::string by) {
  kestrion::pause_schedule(*impl_->store, name, by).value();
}

void runtime::resume_schedule(std::string_view name) {
  const auto& context = *impl_->engine.context;
  kestrion::resume_schedule(*impl_->store, name, context.now()).value();
  tell_schedules(context);
}

run runtime::trigger_schedule(std::string_view name) {
  auto r = find_schedule(*impl_->store, name).value().request;
  auto header = header_of(r);
  return {*this, impl_
                   ->ask<run_receipt>(start_request{
                     std::move(r.agent), std::move(r.input), std::move(header)})
                   .run};
}

void runtime::backfill_schedule(std::string_view name, timestamp from,
                                timestamp until) {
  const auto& context = *impl_->engine.context;
  kestrion::backfill_schedule(*impl_->store, name, from, until, context.now())
    .value();
  tell_schedules(context);
}

std::vector<schedule_status> runtime::schedules() const {
  std::vector<schedule_status> out;
  const auto now = impl_->engine.context->now();
  for (const auto& [name, each] : read_schedules(*impl_->store).value())
    out.push_back(status_of(each, now));
  return out;
}

// -- waiting ------------------------------------------------------------------

run_result runtime::wait(const run_id& id, bool until_ended) {
  return impl_->ask<run_result>(
    await_run{id, until_ended ? wait_until::ended : wait_until::at_rest});
}

std::optional<run_result> runtime::wait_for(const run_id& id, duration limit) {
  auto [answer, asker] =
    impl_->question<run_result>(await_run{id, wait_until::at_rest});
  if (answer.wait_for(limit) == std::future_status::ready)
    return std::move(answer.get().value());
  caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
  return std::nullopt;
}

std::future<run_result> runtime::ended(const run_id& id) {
  auto promise = std::make_shared<std::promise<run_result>>();
  auto out = promise->get_future();
  spawn_asker<run_result>(
    impl_->system, impl_->engine.front, await_run{id, wait_until::ended},
    [promise](kestrion::result<run_result> r) {
      if (r)
        promise->set_value(std::move(*r));
      else
        promise->set_exception(std::make_exception_ptr(failure(r.error())));
    });
  return out;
}

draft_range runtime::drafts(const run_id& id) {
  return blocking_drafts(impl_->system, impl_->engine.front, id,
                         impl_->engine.context->drafts->watch(id));
}

run_result run::wait() const {
  return runtime_->wait(id_, false);
}

std::optional<run_result> run::wait_for(duration limit) const {
  return runtime_->wait_for(id_, limit);
}

run_result run::wait_until_ended() const {
  return runtime_->wait(id_, true);
}

std::future<run_result> run::ended() const {
  return runtime_->ended(id_);
}

draft_range run::drafts() const {
  return runtime_->drafts(id_);
}

run_result run::result() const {
  return runtime_->result(id_);
}

struct runtime_access {
  static directory_actor directory(runtime& rt) {
    return rt.impl_->engine.directory();
  }
  static front_actor front(runtime& rt) { return rt.impl_->engine.front; }
  static std::unique_ptr<runtime> open(runtime_options options,
                                       agent_registry agents,
                                       std::shared_ptr<event_store> store) {
    options.store = "memory:"; // Nobody else has it.
    auto own = std::make_unique<own_system>(options.actor_threads);
    auto& system = *own->system;
    return std::unique_ptr<runtime>{new runtime{std::make_unique<runtime::impl>(
      std::move(own), system, options, std::move(agents), std::move(store))}};
  }
};

front_actor front_of(runtime& rt) {
  return runtime_access::front(rt);
}

std::unique_ptr<runtime> open_runtime(const runtime_options& options,
                                      agent_registry agents,
                                      std::shared_ptr<event_store> store) {
  return runtime_access::open(options, std::move(agents), std::move(store));
}

directory_actor directory_of(runtime& rt) {
  return runtime_access::directory(rt);
}

} // namespace kestrion
