#include <kestrion/actors/engine.hpp>

#include <kestrion/actors/journal_actor.hpp>
#include <kestrion/actors/scheduler_actor.hpp>
#include <kestrion/actors/store_watch_actor.hpp>
#include <kestrion/actors/supervision_tree.hpp>
#include <kestrion/actors/supervisor_actor.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace kestrion {

namespace {

using shared_context = std::shared_ptr<run_context>;

supervised_child journal_child(const shared_context& context,
                               std::shared_ptr<event_store> store,
                               bool detached) {
  return {"journal", [context, store = std::move(store), detached,
                      backlog = std::make_shared<journal_backlog>()](
                       caf::actor_system& system) {
            auto actor =
              detached ? system.spawn<caf::detached>(journal, store, backlog)
                       : system.spawn(journal, store, backlog);
            context->journal.set(actor);
            return caf::actor_cast<caf::actor>(actor);
          }};
}

supervised_child tool_watch_child(const shared_context& context) {
  return {"tool watch", [context](caf::actor_system& system) {
            auto actor = system.spawn(tool_watch, context->tools);
            context->tool_watch.set(actor);
            // What an earlier one had to come back for.
            caf::anon_send(actor, sweep_tools{});
            return caf::actor_cast<caf::actor>(actor);
          }};
}

supervised_child scheduler_child(const shared_context& context,
                                 std::shared_ptr<permit_book> book) {
  return {
    "scheduler", [context, book = std::move(book)](caf::actor_system& system) {
      auto actor = system.spawn(scheduler, context->calls, book, context->now);
      context->scheduler.set(actor);
      caf::anon_send(actor, look_at_calls{});
      return caf::actor_cast<caf::actor>(actor);
    }};
}

supervised_child supervisor_child(const shared_context& context,
                                  const restart_spec& restarts) {
  return {"supervisor of runs",
          [context, restarts,
           histories =
             std::make_shared<restart_histories>()](caf::actor_system& system) {
            auto actor = system.spawn(supervisor, restarts, context, histories);
            context->supervisor.set(caf::actor_cast<caf::actor_addr>(actor));
            if (auto directory = strong<directory_actor>(context->directory))
              caf::anon_send(directory, meet_supervisor{});
            return caf::actor_cast<caf::actor>(actor);
          }};
}

supervised_child directory_child(const shared_context& context,
                                 std::shared_ptr<const agent_registry> agents) {
  return {"directory",
          [context, agents = std::move(agents),
           live = std::make_shared<residents>()](caf::actor_system& system) {
            auto actor = system.spawn(directory, context, agents, live);
            context->directory.set(caf::actor_cast<caf::actor_addr>(actor));
            if (context->recovers)
              caf::anon_send(actor, recover_all{});
            return caf::actor_cast<caf::actor>(actor);
          }};
}

supervised_child store_watch_child(const shared_context& context,
                                   bool detached) {
  return {"store watch", [context, detached](caf::actor_system& system) {
            return caf::actor_cast<caf::actor>(
              detached ? system.spawn<caf::detached>(store_watch, context)
                       : system.spawn(store_watch, context));
          }};
}

} // namespace

directory_actor engine::directory() const {
  return strong<directory_actor>(context->directory);
}

void engine::stop() const {
  context->is_stopping = true;
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
}

engine start_engine(caf::actor_system& system, engine_world world,
                    engine_options options,
                    std::shared_ptr<const agent_registry> agents) {
  auto context = std::make_shared<run_context>();
  context->now = std::move(world.now);
  context->random = std::move(world.random);
  context->passivates = options.passivates;
  context->recovers = options.recover;
  context->store_is_shared = options.store_is_shared;
  context->store = world.store;
  context->tools = std::make_shared<tool_pool>(std::move(world.executor));
  auto book = open_permit_book(options.calls, context->now()).value();
  context->calls->has_rules =
    !options.calls.limits.empty() || !options.calls.budgets.empty();
  // Each needs those before it.
  std::vector<supervised_child> children{
    journal_child(context, std::move(world.store), options.detached),
    tool_watch_child(context), scheduler_child(context, std::move(book)),
    supervisor_child(context, options.restarts),
    directory_child(context, std::move(agents))};
  if (options.store_is_shared)
    children.push_back(store_watch_child(context, options.detached));
  engine e;
  e.root = system.spawn(supervision_tree, options.supervision,
                        std::move(children), context->now);
  e.context = std::move(context);
  return e;
}

} // namespace kestrion
