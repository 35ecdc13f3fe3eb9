#include <kestrion/actors/engine.hpp>

#include <kestrion/actors/journal_actor.hpp>
#include <kestrion/actors/supervisor_actor.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace kestrion {

void engine::stop() const {
  const auto end = [](const auto& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  };
  end(directory);
  end(supervisor);
  end(context->tool_watch);
  end(context->journal);
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
  context->journal = options.detached_journal
                       ? system.spawn<caf::detached>(journal, world.store)
                       : system.spawn(journal, world.store);
  context->store = std::move(world.store);
  context->tools = std::make_shared<tool_pool>(std::move(world.executor));
  context->tool_watch = system.spawn(tool_watch, context->tools);
  engine e;
  e.supervisor = system.spawn(supervisor, options.restarts, context);
  e.directory =
    system.spawn(directory, context, std::move(agents), e.supervisor);
  context->directory = caf::actor_cast<caf::actor_addr>(e.directory);
  e.context = std::move(context);
  if (options.recover)
    caf::anon_send(e.directory, recover_all{});
  return e;
}

} // namespace kestrion
