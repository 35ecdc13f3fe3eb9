#include <kestrion/actors/runtime_impl.hpp>

#include <kestrion/actors/limit_leases.hpp>
#include <kestrion/actors/open_runtime.hpp>
#include <kestrion/actors/scheduler_metrics.hpp>

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

std::shared_ptr<const redactor> redaction_of(const runtime_options& options) {
  const auto& rules = options.redaction;
  if (rules.secrets.empty() && rules.patterns.empty())
    return nullptr;
  return redactor::make(rules).value();
}

/// The same agents, whose runs do not record what `redaction` takes out.
agent_registry
with_redaction(agent_registry known,
               const std::shared_ptr<const redactor>& redaction) {
  if (!redaction)
    return known;
  for (auto& [name, code] : known) {
    auto definition = *code->definition;
    definition.redaction = redaction;
    auto changed = *code;
    changed.definition =
      std::make_shared<const agent_definition>(std::move(definition));
    code = std::make_shared<const agent_code>(std::move(changed));
  }
  return known;
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

own_system::own_system(std::size_t threads) {
  if (threads == 0) // CAF would take 4 at least.
    threads = std::max(std::thread::hardware_concurrency(), 1U);
  config.set("scheduler.max-threads", threads);
  // An actor that has much to do lets others have their turn; else all that it
  // makes ready piles up at one worker, which the others search in vain.
  config.set("scheduler.max-throughput", 50);
  system = std::make_unique<caf::actor_system>(config);
}

runtime::impl::impl(std::unique_ptr<own_system> mine, caf::actor_system& sys,
                    const runtime_options& options,
                    const std::vector<agent>& known)
  : impl(std::move(mine), sys, options, build_all(known),
         open_store(options.store).value()) {}

runtime::impl::impl(std::unique_ptr<own_system> mine, caf::actor_system& sys,
                    const runtime_options& options, agent_registry known,
                    std::shared_ptr<event_store> all_runs)
  : own(std::move(mine)), system(sys), store(std::move(all_runs)),
    redaction(redaction_of(options)),
    agents(std::make_shared<const agent_registry>(
      with_redaction(std::move(known), redaction))),
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
                         .redaction = redaction,
                         .store_is_shared = options.store != "memory:"},
                        agents);
  caf::scoped_actor self{system};
  self->request(engine.root, caf::infinite, meet_supervisor{})
    .receive([](bool) {}, [](const caf::error&) {});
  if (!options.metrics.empty())
    serve_metrics(options.metrics);
}

runtime::impl::~impl() {
  metrics.reset();
  stop();
}

void runtime::impl::serve_metrics(const std::string& address) {
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

void runtime::impl::append(append_request request) {
  kestrion::result<std::uint64_t> out =
    error{errc::unavailable, "the journal is being started anew"};
  caf::scoped_actor self{system};
  self
    ->request(engine.context->journal.get(), caf::infinite, std::move(request))
    .receive([&](std::uint64_t length) { out = length; },
             [&](const caf::error& e) {
               if (is_ours(e))
                 out = from_caf(e);
             });
  static_cast<void>(out.value());
}

void runtime::impl::stop() {
  engine.stop();
  caf::scoped_actor self{system};
  self->wait_for(engine.root, engine.front);
  // If it fails our slices come back when our leases are over.
  static_cast<void>(
    leave_limits(*store, engine.context->process, system_now()));
}

} // namespace kestrion
