#include <kestrion/actors/runtime.hpp>

#include <kestrion/actors/asker.hpp>
#include <kestrion/actors/engine.hpp>
#include <kestrion/actors/run_queries.hpp>
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
  worker_pool workers;
  kestrion::engine engine;
  std::unique_ptr<metrics_server> metrics;

  impl(std::unique_ptr<own_system> mine, caf::actor_system& sys,
       const runtime_options& options, const std::vector<agent>& agents)
    : own(std::move(mine)), system(sys), workers(options.tool_threads_max) {
    auto registry = std::make_shared<const agent_registry>(build_all(agents));
    store = open_store(options.store).value();
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
                          std::move(registry));
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
    self->wait_for(engine.root);
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

  /// Asks the directory and waits for its answer. @throws failure
  template <class Answer, class Message>
  Answer ask(Message m) {
    auto [asker, answer] =
      spawn_asker<Answer>(system, engine.context, std::move(m));
    return std::move(answer.get().value());
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

runtime::~runtime() = default;

// -- runs ---------------------------------------------------------------------

run runtime::start(std::string_view agent, std::string prompt,
                   start_options options) {
  return start(agent, user_message(std::move(prompt)), std::move(options));
}

run runtime::start(std::string_view agent, message input,
                   start_options options) {
  start_request request{std::string{agent}, std::move(input), {}};
  request.options.key = std::move(options.key);
  request.options.tenant = std::move(options.tenant);
  request.options.labels = std::move(options.labels);
  if (options.lane != call_lane::batch)
    request.options.lane = options.lane;
  if (options.priority != 0)
    request.options.priority = options.priority;
  // Ours, so that asking again does not start another one.
  request.id = run_id::make(
    system_now(), static_cast<std::uint16_t>(random_bits()), random_bits());
  return {*this, impl_->ask<run_receipt>(std::move(request)).run};
}

run runtime::find(const run_id& id) {
  if (!impl_->store->find(id).value())
    throw failure(
      {errc::not_found, "there is no run " + id.str() + " in this store"});
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
    throw failure(
      {errc::not_found, "there is no run " + id.str() + " in this store"});
  return events;
}

run_trace runtime::trace(const run_id& id) const {
  auto trace = trace_of(id, events(id));
  if (trace.result.status == run_status::running)
    if (const auto why = waiting(id))
      show_throttled(trace.result, *why);
  return trace;
}

run_result runtime::result(const run_id& id) const {
  return trace(id).result;
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

// -- waiting ------------------------------------------------------------------

run_result runtime::wait(const run_id& id, bool until_ended) {
  return impl_->ask<run_result>(
    await_run{id, until_ended ? wait_until::ended : wait_until::at_rest});
}

std::optional<run_result> runtime::wait_for(const run_id& id, duration limit) {
  auto [asker, answer] = spawn_asker<run_result>(
    impl_->system, impl_->engine.context, await_run{id, wait_until::at_rest});
  if (answer.wait_for(limit) == std::future_status::ready)
    return std::move(answer.get().value());
  caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
  return std::nullopt;
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

run_result run::result() const {
  return runtime_->result(id_);
}

struct runtime_access {
  static directory_actor directory(runtime& rt) {
    return rt.impl_->engine.directory();
  }
};

directory_actor directory_of(runtime& rt) {
  return runtime_access::directory(rt);
}

} // namespace kestrion
