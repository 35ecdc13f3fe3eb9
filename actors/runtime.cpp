#include <kestrion/actors/runtime.hpp>

#include <kestrion/actors/draft_range.hpp>
#include <kestrion/actors/event_callback.hpp>
#include <kestrion/actors/open_runtime.hpp>
#include <kestrion/actors/runtime_impl.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace kestrion {

namespace {

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

} // namespace

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
