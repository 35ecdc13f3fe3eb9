/// One of the processes of fencing_test.
///     fighter URL LEASE_MS LIFE SEED
/// Claims what it can get of the runs and appends numbered events to what it
/// believes to be its own, as fast as it can, until it is killed. Like a
/// runtime it does not ask again whether a run is still its own: it hears of a
/// loss by a conflict. Says what it knows, in one write an append:
///     ack RUN SEQ TENURE N    the event at SEQ is on disk
///     no RUN SEQ TENURE N     it was refused

#include <kestrion/store/event_store.hpp>
#include <kestrion/tests/crash/fight.hpp>

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>

namespace kestrion::test {

namespace {

using clock = std::chrono::steady_clock;

/// Three of them want more than there is.
constexpr std::size_t holdings_max = 12;

class fighter {
public:
  fighter(const std::string& url, std::chrono::milliseconds lease,
          std::uint64_t life, std::uint64_t seed)
    : store_(open_store(url, lease).value()), lease_(lease), life_(life),
      random_(seed) {}

  void fight() {
    const std::vector<std::string> agents{std::string{fight_agent}};
    for (const auto& row :
         store_->claim_unfinished(agents, {}, holdings_max / 2).value())
      held_[row.id] = {row.last_seq, ++tenures_, 0};
    for (auto renewed = clock::now();;) {
      if (clock::now() - renewed > lease_ / 8) {
        store_->renew().value();
        renewed = clock::now();
      }
      grab();
      strike();
      if (below(32) == 0)
        let_go();
    }
  }

private:
  struct holding {
    std::uint64_t seq = 0;
    std::uint64_t tenure = 0;
    std::uint64_t n = 0;
  };

  std::uint64_t below(std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>{0, n - 1}(random_);
  }

  void grab() {
    const auto run = fight_run(1 + below(fight_runs));
    if (held_.size() < holdings_max && !held_.contains(run)
        && store_->claim(run).value())
      held_[run] = {store_->find(run).value().value().last_seq, ++tenures_, 0};
  }

  /// Some of the runs that we hold get an event or more, in one transaction.
  void strike() {
    std::vector<append_request> batch;
    for (const auto& [run, h] : held_) {
      if (below(2) == 0)
        continue;
      append_request next{run, h.seq, {}, run_status::running, {}};
      const auto count = 1 + below(3);
      for (std::uint64_t i = 1; i <= count; ++i)
        next.events.push_back({timestamp{duration{1}},
                               h.n + i == 1 ? "taken" : "worked",
                               to_data({life_, h.tenure, h.n + i})});
      batch.push_back(std::move(next));
    }
    const auto results = store_->append(batch);
    std::string said;
    for (std::size_t i = 0; i < batch.size(); ++i)
      said += note(batch[i], results[i]);
    say(said);
  }

  std::string note(const append_request& r,
                   const result<std::uint64_t>& outcome) {
    if (!outcome && outcome.error().code != errc::conflict)
      throw failure(outcome.error());
    auto& h = held_.at(r.run);
    const auto line = r.run.str() + " "
                      + std::to_string(r.expected_seq + r.events.size()) + " "
                      + std::to_string(h.tenure) + " "
                      + std::to_string(h.n + r.events.size()) + "\n";
    if (!outcome) {
      held_.erase(r.run);
      return "no " + line;
    }
    h.seq = *outcome;
    h.n += r.events.size();
    return "ack " + line;
  }

  void let_go() {
    if (held_.empty())
      return;
    const auto run = std::next(
      held_.begin(), static_cast<std::ptrdiff_t>(below(held_.size())));
    store_->release(run->first).value();
    held_.erase(run);
  }

  static void say(const std::string& text) {
    if (::write(STDOUT_FILENO, text.data(), text.size())
        != static_cast<ssize_t>(text.size()))
      throw std::runtime_error("nobody listens");
  }

  std::unique_ptr<event_store> store_;
  const std::chrono::milliseconds lease_;
  const std::uint64_t life_;
  std::mt19937_64 random_;
  std::map<run_id, holding> held_; ///< As far as we know.
  std::uint64_t tenures_ = 0;
};

} // namespace

} // namespace kestrion::test

int main(int argc, char** argv) try {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // Never outlives the test.
  if (argc != 5)
    throw std::invalid_argument("usage: fighter URL LEASE_MS LIFE SEED");
  kestrion::test::fighter{argv[1],
                          std::chrono::milliseconds{std::stoi(argv[2])},
                          std::stoull(argv[3]), std::stoull(argv[4])}
    .fight();
} catch (const std::exception& e) {
  std::cerr << "fighter: " << e.what() << '\n';
  return 1;
}
