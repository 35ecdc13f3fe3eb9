#include <kestrion/actors/engine.hpp>

#include <kestrion/actors/event_hub_actor.hpp>
#include <kestrion/actors/front_actor.hpp>
#include <kestrion/actors/journal_actor.hpp>
#include <kestrion/actors/schedule_actor.hpp>
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
                               std::shared_ptr<journal_backlog> backlog,
                               bool detached) {
  return {"journal", [context, store = std::move(store), detached,
                      backlog = std::move(backlog)](caf::actor_system& system) {
            auto actor =
              detached ? system.spawn<caf::detached>(journal, store, backlog,
                                                     context->events)
                       : system.spawn(journal, store, backlog, context->events);
            context->journal.set(actor);
            return caf::actor_cast<caf::actor>(actor);
          }};
}

supervised_child event_hub_child(const shared_context& context) {
  return {"event hub",
          [context, left = std::make_shared<event_subscriptions>()](
            caf::actor_system& system) {
            auto actor = system.spawn(event_hub, context, left);
            context->events->set_hub(actor);
            caf::anon_send(actor, look_at_store{}); // What the last one lost.
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

/// Tools are timed by the clock that their watch goes by.
tool_timekeeper timekeeper(caf::actor_system& system,
                           const shared_context& context) {
  return {[&system] { return system.clock().now(); },
          [weak = std::weak_ptr{context}] {
            if (const auto strong = weak.lock())
              caf::anon_send(strong->tool_watch.get(), sweep_tools{});
          }};
}

supervised_child scheduler_child(const shared_context& context,
                                 std::shared_ptr<permit_book> book) {
  return {"scheduler",
          [context, book = std::move(book)](caf::actor_system& system) {
            auto actor = system.spawn(scheduler, context, book);
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
                                 std::shared_ptr<const agent_registry> agents,
                                 std::shared_ptr<residents> live) {
  return {"directory", [context, agents = std::move(agents),
                        live = std::move(live)](caf::actor_system& system) {
            auto actor = system.spawn(directory, context, agents, live);
            context->directory.set(caf::actor_cast<caf::actor_addr>(actor));
            if (context->recovers)
              caf::anon_send(actor, recover_all{});
            return caf::actor_cast<caf::actor>(actor);
          }};
}

supervised_child schedule_child(const shared_context& context,
                                std::shared_ptr<const agent_registry> agents,
                                front_actor starts, bool detached) {
  return {"schedules",
          [context, agents = std::move(agents), starts = std::move(starts),
           detached](caf::actor_system& system) {
            auto actor =
              detached ? system.spawn<caf::detached>(schedule_watch, context,
                                                     agents, starts)
                       : system.spawn(schedule_watch, context, agents, starts);
            context->schedules.set(caf::actor_cast<caf::actor_addr>(actor));
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
  context->tools->close();
  caf::anon_send_exit(front, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
}

engine start_engine(caf::actor_system& system, engine_world world,
                    engine_options options,
                    std::shared_ptr<const agent_registry> agents) {
  auto context = std::make_shared<run_context>();
  context->now = std::move(world.now);
  context->random = std::move(world.random);
  context->process = std::to_string(context->random());
  context->passivates = options.passivates;
  context->recovers = options.recover;
  context->store_is_shared = options.store_is_shared;
  context->clock_check = options.clock_check;
  context->snapshots = options.snapshots;
  context->redaction = options.redaction;
  context->store = world.store;
  context->tools = std::make_shared<tool_pool>(std::move(world.executor),
                                               timekeeper(system, context));
  const auto live = std::make_shared<residents>();
  const auto backlog = std::make_shared<journal_backlog>();
  if (!options.store_is_shared)
    for (auto& limit : options.calls.limits)
      limit.across_processes = false; // There are no others.
  auto book = open_permit_book(options.calls, context->now()).value();
  context->calls->has_rules =
    !options.calls.limits.empty() || !options.calls.budgets.empty();
  engine e;
  e.front = system.spawn(front, context);
  // Each needs those before it.
  std::vector<supervised_child> children{
    event_hub_child(context),
    journal_child(context, std::move(world.store), backlog, options.detached),
    tool_watch_child(context),
    scheduler_child(context, std::move(book)),
    supervisor_child(context, options.restarts),
    directory_child(context, agents, live)};
  if (options.recover)
    children.push_back(
      schedule_child(context, std::move(agents), e.front, options.detached));
  if (options.store_is_shared)
    children.push_back(store_watch_child(context, options.detached));
  e.root = system.spawn(supervision_tree, options.supervision,
                        std::move(children), context->now);
  // What ended without being started anew can't do this any more: the directory
  // ends its runs, the journal answers.
  caf::actor_cast<caf::abstract_actor*>(e.root)->attach_functor(
    [live, backlog] {
      for (const auto& [id, run] : *live)
        caf::anon_send_exit(run.actor, caf::exit_reason::user_shutdown);
      give_up(*backlog);
    });
  e.context = std::move(context);
  return e;
}

} // namespace kestrion
