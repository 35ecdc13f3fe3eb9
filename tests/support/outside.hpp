#pragma once

#include <kestrion/actors/embedding.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Actors of a program around the runtime, and what they hear.
namespace kestrion::test {

/// A question to the front of a simulated process whose answer may come later.
template <class Answer>
class request_to_front {
public:
  template <class Message>
  request_to_front(sim& process, Message m)
    : asker_(
      process.system().spawn([front = process.actors().front, heard = heard_,
                              m = std::move(m)](caf::event_based_actor* self) {
        self->request(front, caf::infinite, m)
          .then(
            [heard](Answer& a) { heard->emplace_back(std::move(a)); },
            [heard](const caf::error& e) { heard->emplace_back(from_caf(e)); });
      })) {}

  ~request_to_front() {
    caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
  }
  request_to_front(const request_to_front&) = delete;
  request_to_front& operator=(const request_to_front&) = delete;

  bool is_answered() const { return !heard_->empty(); }

  /// Fails the test if there is not exactly one answer.
  const result<Answer>& answer() const {
    BOOST_REQUIRE_EQUAL(heard_->size(), 1u);
    return heard_->front();
  }

private:
  std::shared_ptr<std::vector<result<Answer>>> heard_ =
    std::make_shared<std::vector<result<Answer>>>();
  caf::actor asker_;
};

/// Asks, lets everybody act, and expects an answer.
template <class Answer, class Message>
result<Answer> ask_front(sim& process, Message m) {
  request_to_front<Answer> question{process, std::move(m)};
  process.settle();
  return question.answer();
}

/// Monitors an actor or is linked to it, and says what came of it.
class onlooker {
public:
  enum class bond : std::uint8_t { monitor, link, link_and_trap };

  template <class Handle>
  onlooker(sim& process, const Handle& other, bond b)
    : actor_(process.system().spawn(
      [=, ends = ends_](caf::event_based_actor* self) -> caf::behavior {
        self->set_down_handler(
          [ends](const caf::down_msg& x) { ends->push_back(x.reason); });
        if (b == bond::link_and_trap)
          self->set_exit_handler(
            [ends](const caf::exit_msg& x) { ends->push_back(x.reason); });
        if (b == bond::monitor)
          self->monitor(other);
        else
          self->link_to(other);
        return {
          [](const std::string& last_words) {
            throw std::runtime_error{last_words};
          },
          [self](const ask_again&) { self->quit(); },
        };
      })) {
    watch_.emplace(process.system());
    (*watch_)->monitor(actor_);
    process.settle();
  }
  ~onlooker() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }
  onlooker(const onlooker&) = delete;
  onlooker& operator=(const onlooker&) = delete;

  /// What it was told, in order.
  const std::vector<caf::error>& ends() const { return *ends_; }

  bool is_alive() { return !(*watch_)->has_next_message(); }

  void fail() { caf::anon_send(actor_, std::string{"I fail"}); }
  void end_well() { caf::anon_send(actor_, ask_again{}); }

private:
  std::shared_ptr<std::vector<caf::error>> ends_ =
    std::make_shared<std::vector<caf::error>>();
  caf::actor actor_;
  std::optional<caf::scoped_actor> watch_;
};

/// Hears of events, as slowly as the test wants.
class listener {
public:
  explicit listener(sim& process)
    : actor_(
      process.system().spawn([it = state_](event_subscriber_actor::pointer)
                               -> event_subscriber_actor::behavior_type {
        return {
          [it](const run_event& x) { it->events.push_back(x); },
          [it](const events_missed& x) { it->missed.push_back(x); },
        };
      })) {}
  ~listener() { end(); }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  const event_subscriber_actor& actor() const { return actor_; }
  void end() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }

  const std::vector<run_event>& events() const { return state_->events; }
  const std::vector<events_missed>& missed() const { return state_->missed; }
  void forget() { state_->events.clear(); }

  /// "seq tag", of all events or of those of one run.
  std::vector<std::string> lines(const std::optional<run_id>& of = {}) const {
    std::vector<std::string> out;
    for (const auto& x : state_->events)
      if (!of || x.run == *of)
        out.push_back(std::to_string(x.event.seq) + " "
                      + std::string{tag_of(x.event.event)});
    return out;
  }

private:
  struct state {
    std::vector<run_event> events;
    std::vector<events_missed> missed;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
  event_subscriber_actor actor_;
};

} // namespace kestrion::test
