#pragma once

#include <kestrion/caf.hpp>
#include <kestrion/tests/support/draft_album.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <boost/test/unit_test.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kestrion::test {

/// Sees drafts, as fast as it gets turns.
class spectator {
public:
  explicit spectator(sim& process)
    : actor_(
      process.system().spawn([it = album_](draft_subscriber_actor::pointer)
                               -> draft_subscriber_actor::behavior_type {
        return {[it](const draft_update& x) {
          it->add(x);
        }};
      })) {}
  ~spectator() { end(); }
  spectator(const spectator&) = delete;
  spectator& operator=(const spectator&) = delete;

  const draft_subscriber_actor& actor() const { return actor_; }
  void end() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }
  void crash() { caf::anon_send_exit(actor_, caf::exit_reason::kill); }

  const draft_album& album() const { return *album_; }
  std::vector<std::string> lines() const { return album_->lines(); }

private:
  std::shared_ptr<draft_album> album_ = std::make_shared<draft_album>();
  draft_subscriber_actor actor_;
};

/// Takes a message when the test says so.
class slow_spectator {
public:
  explicit slow_spectator(sim& process) : self_(process.system()) {}

  draft_subscriber_actor actor() {
    return caf::actor_cast<draft_subscriber_actor>(
      caf::actor_cast<caf::strong_actor_ptr>(self_.ptr()));
  }

  /// @returns False if there is none.
  bool take_one() {
    if (!self_->has_next_message())
      return false;
    self_->receive([this](const draft_update& x) { album.add(x); });
    // There is never another one before this one was dealt with.
    BOOST_CHECK(!self_->has_next_message());
    return true;
  }

  draft_album album;

private:
  caf::scoped_actor self_;
};

} // namespace kestrion::test
