#pragma once

#include <kestrion/actors/asker.hpp>
#include <kestrion/actors/embedding.hpp>
#include <kestrion/actors/engine.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/runtime.hpp>
#include <kestrion/providers/metrics/metrics_server.hpp>
#include <kestrion/providers/tools/worker_pool.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What stands behind `runtime`.
namespace kestrion {

/// An actor system of our own.
struct own_system {
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;

  /// @param threads  0: one a core.
  explicit own_system(std::size_t threads);
};

error no_such_run(const run_id& id);

struct runtime::impl {
  // Destroyed in reverse: the system goes last, when no actor is left.
  std::unique_ptr<own_system> own;
  caf::actor_system& system;
  std::shared_ptr<event_store> store;
  std::shared_ptr<const redactor> redaction; ///< Nothing: none.
  std::shared_ptr<const agent_registry> agents;
  worker_pool workers;
  kestrion::engine engine;
  std::unique_ptr<metrics_server> metrics;

  impl(std::unique_ptr<own_system> mine, caf::actor_system& sys,
       const runtime_options& options, const std::vector<agent>& known);
  impl(std::unique_ptr<own_system> mine, caf::actor_system& sys,
       const runtime_options& options, agent_registry known,
       std::shared_ptr<event_store> all_runs);
  ~impl();

  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  void serve_metrics(const std::string& address);
  void stop();

  /// As a run does, so that who watches hears of it. @throws failure
  void append(append_request request);

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

} // namespace kestrion
