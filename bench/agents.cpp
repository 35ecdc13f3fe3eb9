#include "agents.hpp"

#include <caf/event_based_actor.hpp>

#include <future>
#include <limits>
#include <memory>

namespace bench {

namespace {

struct question {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(question, (), (text))

template <class... Gate>
kestrion::agent make_agent(const std::string& name, int turns,
                           std::size_t payload_bytes, Gate... gate) {
  const std::string payload(payload_bytes, 'x');
  const auto ask =
    kestrion::calls({{"look_up", R"({"text":")" + payload + R"("})"}});
  const auto end = kestrion::says("done");
  const auto turns_max = std::size_t{2} * static_cast<std::size_t>(turns);
  const kestrion::run_limits no_limits{
    std::numeric_limits<std::int64_t>::max(),
    std::numeric_limits<std::int64_t>::max()};
  return kestrion::agent(name)
    .model(kestrion::function_model([=](const kestrion::model_request& r) {
      // A prompt, then two messages a turn.
      return r.conversation.size() > turns_max ? end : ask;
    }))
    .limits(no_limits)
    .tool(
      "look_up", "Looks something up.",
      [payload](const question&) { return std::string{payload}; }, gate...);
}

/// What the runs of one `run_all` report to.
struct gathering {
  std::size_t missing = 0;
  std::vector<kestrion::run_result> results;
  std::promise<void> done;
  bool has_failed = false;

  void fail(const caf::error& e) {
    if (std::exchange(has_failed, true))
      return;
    done.set_exception(
      std::make_exception_ptr(kestrion::failure(kestrion::from_caf(e))));
  }
  void take(kestrion::run_result& r) {
    results.push_back(std::move(r));
    if (--missing == 0)
      done.set_value();
  }
};

void start_one(caf::event_based_actor* self,
               const kestrion::directory_actor& directory,
               const std::string& agent,
               const std::shared_ptr<gathering>& all) {
  const auto fail = [all](const caf::error& e) {
    all->fail(e);
  };
  self
    ->request(
      directory, caf::infinite,
      kestrion::start_request{agent, kestrion::user_message("Begin."), {}})
    .then(
      [=](const kestrion::run_receipt& started) {
        self
          ->request(directory, caf::infinite, kestrion::await_run{started.run})
          .then([all](kestrion::run_result& r) { all->take(r); }, fail);
      },
      fail);
}

} // namespace

kestrion::agent busy_agent(int turns, std::size_t payload_bytes) {
  return make_agent("busy", turns, payload_bytes);
}

kestrion::agent gated_agent(std::size_t payload_bytes) {
  return make_agent("gated", std::numeric_limits<int>::max(), payload_bytes,
                    kestrion::requires_approval());
}

std::vector<kestrion::run_result> run_all(caf::actor_system& system,
                                          kestrion::runtime& rt,
                                          const std::string& agent,
                                          std::size_t count) {
  auto all = std::make_shared<gathering>();
  all->missing = count;
  auto done = all->done.get_future();
  system.spawn([&rt, agent, count, all](caf::event_based_actor* self) {
    const auto directory = kestrion::directory_of(rt);
    for (std::size_t i = 0; i < count; ++i)
      start_one(self, directory, agent, all);
  });
  done.get();
  return std::move(all->results);
}

} // namespace bench
