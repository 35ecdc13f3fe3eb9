/// One of the processes of fencing_test.
///     fighter URL LEASE_MS LIFE SEED
/// Claims what it can get of the runs and appends numbered events to what it
/// believes to be its own, a few milliseconds apart, until it is killed. Like a
/// runtime it does not ask again whether a run is still its own: it hears of a
/// loss by a conflict. Says what it knows, in one write a call of the store;
/// TIME is that of CLOCK_MONOTONIC in microseconds:
///     took RUN SEQ TENURE 0 TIME   a claim succeeded that began then, at a
///                                  log of that length
///     ack RUN SEQ TENURE N TIME    the event at SEQ was on disk by then
///     no RUN SEQ TENURE N TIME     it was refused
///     left RUN SEQ TENURE N TIME   the run is about to be let go

#include <kestrion/store/event_store.hpp>
#include <kestrion/tests/crash/fight.hpp>

#include <poll.h>
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

/// Three of them want far more than there is.
constexpr std::size_t holdings_max = 16;

class fighter {
public:
  fighter(const std::string& url, std::chrono::milliseconds lease,
          std::uint64_t life, std::uint64_t seed)
    : store_(open_store(url, lease).value()), lease_(lease), life_(life),
      random_(seed) {}

  void fight() {
    const std::vector<std::string> agents{std::string{fight_agent}};
    const auto begun = clock::now();
    for (const auto& row :
         store_->claim_unfinished(agents, {}, holdings_max / 2).value())
      take(row.id, row.last_seq, begun);
    for (auto renewed = clock::now();;) {
      if (clock::now() - renewed > lease_ / 8) {
        store_->renew().value();
        renewed = clock::now();
      }
      for (int i = 0; i < 3; ++i)
        grab();
      strike();
      if (below(8) == 0)
        let_go();
      // SQLite's lock is not fair: who never pauses keeps the others out, and
      // is always suspended in the middle of a transaction.
      ::poll(nullptr, 0, static_cast<int>(below(8)));
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
    const auto begun = clock::now();
    if (held_.size() < holdings_max && !held_.contains(run)
        && store_->claim(run).value())
      take(run, store_->find(run).value().value().last_seq, begun);
  }

  void take(const run_id& run, std::uint64_t seq, clock::time_point begun) {
    held_[run] = {seq, ++tenures_, 0};
    say("took " + line(run, seq, tenures_, 0, begun));
  }

  /// Some of the runs that we hold get an event or more, in one transaction.
  void strike() {
    std::vector<append_request> batch;
    for (const auto& [run, h] : held_) {
      // A tenure takes a while to begin: only the claim keeps others out then.
      if (below(h.n == 0 ? 12 : 3) > 0)
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
    const auto k = r.events.size();
    const auto text = line(r.run, h.seq + k, h.tenure, h.n + k, clock::now());
    if (!outcome) {
      held_.erase(r.run);
      return "no " + text;
    }
    h.seq = *outcome;
    h.n += k;
    return "ack " + text;
  }

  void let_go() {
    if (held_.empty())
      return;
    const auto run = std::next(
      held_.begin(), static_cast<std::ptrdiff_t>(below(held_.size())));
    const auto& h = run->second;
    say("left " + line(run->first, h.seq, h.tenure, h.n, clock::now()));
    store_->release(run->first).value();
    held_.erase(run);
  }

  static std::string line(const run_id& run, std::uint64_t seq,
                          std::uint64_t tenure, std::uint64_t n,
                          clock::time_point at) {
    const auto time =
      std::chrono::floor<duration>(at.time_since_epoch()).count();
    return run.str() + " " + std::to_string(seq) + " " + std::to_string(tenure)
           + " " + std::to_string(n) + " " + std::to_string(time) + "\n";
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
