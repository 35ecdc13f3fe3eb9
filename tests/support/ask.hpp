#pragma once

#include <kestrion/actors/protocol.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <caf/scoped_actor.hpp>

#include <optional>
#include <utility>

namespace kestrion::test {

/// A question to the directory of a simulated process whose answer may come
/// later.
template <class Answer, class Message>
class question {
public:
  question(sim& process, Message m)
    : self_(process.system()),
      pending_(
        self_->request(process.directory(), caf::infinite, std::move(m))) {
    process.settle();
  }

  bool is_answered() { return self_->has_next_message(); }

  /// Fails the test if there is no answer yet.
  result<Answer> answer() {
    BOOST_REQUIRE_MESSAGE(is_answered(), "there is no answer yet");
    result<Answer> out = error{errc::io, "no answer"};
    pending_.receive([&](Answer& a) { out = std::move(a); },
                     [&](const caf::error& e) { out = from_caf(e); });
    return out;
  }

private:
  caf::scoped_actor self_;
  decltype(std::declval<caf::scoped_actor&>()->request(
    std::declval<const directory_actor&>(), caf::infinite,
    std::declval<Message>())) pending_;
};

/// Asks, lets everybody act, and expects an answer.
template <class Answer, class Message>
result<Answer> ask(sim& process, Message m) {
  return question<Answer, Message>{process, std::move(m)}.answer();
}

} // namespace kestrion::test
