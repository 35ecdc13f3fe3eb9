#include "chaos_world.hpp"

#include <stdexcept>

namespace bench {

namespace {

/// What a model says follows from the conversation, in every life.
class model_of_rounds final : public kestrion::model {
public:
  explicit model_of_rounds(int rounds)
    : rounds_(static_cast<std::size_t>(rounds)) {}

  std::string name() const override { return "rounds"; }
  std::optional<kestrion::model_price> price() const override { return {}; }
  void complete(kestrion::model_request request, std::stop_token,
                kestrion::model_callback done) override {
    // A prompt, then two messages a round.
    done(request.conversation.size() > 2 * rounds_ ? end_ : ask_);
  }

private:
  const std::size_t rounds_;
  const kestrion::model_reply ask_ =
    kestrion::calls({{"look_up"}, {once_tool}});
  const kestrion::model_reply end_ = kestrion::says("done");
};

} // namespace

void ledger::act(const std::string& key) {
  const std::lock_guard lock{mutex_};
  if (settled_.contains(key))
    throw std::runtime_error("somebody was told that this did not happen");
  ++times_[key];
}

bool ledger::settle(const std::string& key) {
  const std::lock_guard lock{mutex_};
  if (times_.contains(key))
    return true;
  settled_.insert(key);
  return false;
}

std::unordered_map<std::string, int> ledger::times() const {
  const std::lock_guard lock{mutex_};
  return times_;
}

kestrion::agent chaos_agent(int rounds, std::shared_ptr<ledger> world) {
  const auto act = [world =
                      std::move(world)](const kestrion::tool_context& context) {
    world->act(context.idempotency_key);
    return std::string(chaos_payload_bytes, 'x');
  };
  return kestrion::agent("chaos")
    .model(std::make_shared<model_of_rounds>(rounds))
    .tool("look_up", "Looks something up.", act,
          kestrion::effect_contract::idempotent)
    .tool(once_tool, "Publishes something.", act,
          kestrion::effect_contract::once);
}

} // namespace bench
