#pragma once

#include <kestrion/actors/run_context.hpp>

#include <caf/actor_clock.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <future>
#include <memory>
#include <utility>

namespace kestrion {

/// How long a question waits for a directory to be there again.
inline constexpr auto directory_patience = std::chrono::seconds{5};

/// Asks the directory for somebody who is no actor, and asks again if it is
/// started anew meanwhile. Lives until there is an answer.
template <class Answer, class Message>
class asker {
public:
  asker(caf::event_based_actor* self,
        std::shared_ptr<const run_context> context, Message question,
        std::shared_ptr<std::promise<result<Answer>>> answer)
    : self_(self), context_(std::move(context)), question_(std::move(question)),
      answer_(std::move(answer)) {}

  void ask() {
    const auto directory = strong<directory_actor>(context_->directory);
    if (!directory) {
      wait();
      return;
    }
    asked_at_ = self_->clock().now();
    self_->monitor(directory);
    self_->request(directory, caf::infinite, question_)
      .then([this](Answer& a) { finish(std::move(a)); },
            [this](const caf::error& e) {
              if (!is_ours(e))
                return; // Its end is on its way to us.
              if (auto why = from_caf(e); why.code != errc::unavailable)
                finish(std::move(why));
              else
                wait(); // It misses somebody who is being started anew.
            });
  }

  /// Until somebody is there again; in vain for so long, and all hope is lost.
  void wait() {
    constexpr auto step = std::chrono::milliseconds{5};
    if (self_->clock().now() - asked_at_ > directory_patience)
      waited_ = {}; // The last one lived for a while.
    waited_ += step;
    if (context_->is_stopping || waited_ > directory_patience)
      finish(error{errc::unavailable,
                   "the runtime has stopped: its actors ended too often, or it "
                   "is being destroyed"});
    else
      self_->delayed_send(self_, step, start_children{});
  }

private:
  void finish(result<Answer> answer) {
    answer_->set_value(std::move(answer));
    self_->quit();
  }

  caf::event_based_actor* self_;
  std::shared_ptr<const run_context> context_;
  Message question_;
  std::shared_ptr<std::promise<result<Answer>>> answer_;
  caf::actor_clock::time_point asked_at_{};
  duration waited_{};
};

/// @returns The actor, which can be told to give up by ending it, and what it
///   hears.
template <class Answer, class Message>
std::pair<caf::actor, std::future<result<Answer>>>
spawn_asker(caf::actor_system& system,
            std::shared_ptr<const run_context> context, Message question) {
  auto answer = std::make_shared<std::promise<result<Answer>>>();
  auto heard = answer->get_future();
  auto actor = system.spawn(
    [context = std::move(context), question = std::move(question),
     answer](caf::event_based_actor* self) mutable -> caf::behavior {
      auto it = std::make_shared<asker<Answer, Message>>(
        self, std::move(context), std::move(question), std::move(answer));
      self->set_down_handler([it](const caf::down_msg&) { it->wait(); });
      it->ask();
      return {[it](const start_children&) {
        it->ask();
      }};
    });
  return {std::move(actor), std::move(heard)};
}

} // namespace kestrion
