#include "agents.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <future>
#include <limits>
#include <memory>

namespace bench {

namespace {

struct question {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(question, (), (text))

/// Calls the tool `look_up` for `turns` turns, then does what `afterwards`
/// says.
class turning_model final : public kestrion::model {
public:
  using ending = std::function<void(const kestrion::model_callback& done)>;

  turning_model(int turns, const std::string& payload, ending afterwards)
    : turns_(static_cast<std::size_t>(turns)),
      ask_(kestrion::calls({{"look_up", R"({"text":")" + payload + R"("})"}})),
      afterwards_(std::move(afterwards)) {}

  std::string name() const override { return "turning"; }
  std::optional<kestrion::model_price> price() const override { return {}; }
  void complete(kestrion::model_request request, std::stop_token,
                kestrion::model_callback done) override {
    // A prompt, then two messages a turn.
    if (request.conversation.size() > 2 * turns_)
      afterwards_(done);
    else
      done(ask_);
  }

private:
  const std::size_t turns_;
  const kestrion::model_reply ask_;
  const ending afterwards_;
};

template <class... Gate>
kestrion::agent make_agent(const std::string& name, int turns,
                           std::size_t payload_bytes,
                           turning_model::ending afterwards, Gate... gate) {
  const std::string payload(payload_bytes, 'x');
  const kestrion::run_limits no_limits{
    std::numeric_limits<std::int64_t>::max(),
    std::numeric_limits<std::int64_t>::max()};
  return kestrion::agent(name)
    .model(
      std::make_shared<turning_model>(turns, payload, std::move(afterwards)))
    .limits(no_limits)
    .tool(
      "look_up", "Looks something up.",
      [payload](const question&) { return std::string{payload}; }, gate...);
}

void say_done(const kestrion::model_callback& done) {
  static const auto end = kestrion::says("done");
  done(end);
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
  return make_agent("busy", turns, payload_bytes, say_done);
}

kestrion::agent gated_agent(std::size_t payload_bytes) {
  return make_agent("gated", std::numeric_limits<int>::max(), payload_bytes,
                    say_done, kestrion::requires_approval());
}

kestrion::agent stuck_agent(int turns, std::size_t payload_bytes,
                            std::function<void()> on_silence) {
  return make_agent("busy", turns, payload_bytes,
                    [on_silence = std::move(on_silence)](
                      const kestrion::model_callback&) { on_silence(); });
}

void start_all(kestrion::runtime& rt, const std::string& agent,
               std::size_t count) {
  const auto directory = kestrion::directory_of(rt);
  for (std::size_t i = 0; i < count; ++i)
    caf::anon_send(directory, kestrion::start_request{
                                agent, kestrion::user_message("Begin."), {}});
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
