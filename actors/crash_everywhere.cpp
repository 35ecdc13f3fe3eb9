#include <kestrion/actors/crash_everywhere.hpp>

#include <kestrion/actors/crash_world.hpp>
#include <kestrion/actors/open_runtime.hpp>
#include <kestrion/store/faulty_store.hpp>
#include <kestrion/store/memory_store.hpp>

#include <memory>

namespace kestrion {

namespace {

constexpr auto run_key = "crash_everywhere";
constexpr auto person = "crash_everywhere";
/// No agent's run has more commits than that, or it would never end.
constexpr std::uint64_t appends_max = 10'000;

/// What outlives the processes of one crash point.
struct history {
  std::shared_ptr<event_store> disk = make_memory_store();
  std::shared_ptr<crash_world> world = std::make_shared<crash_world>();
  std::vector<agent> agents;

  const std::string& subject() const { return agents.front().name(); }

  std::optional<run_row> row() const {
    return disk->find_by_key(subject(), run_key).value();
  }
};

/// One process, from its start to the end of the run or to its death.
class process {
public:
  process(const history& h, const crash_scenario& s,
          const std::optional<crash_point>& dies)
    : history_(h), scenario_(s),
      store_(std::make_shared<faulty_store>(h.disk)) {
    if (dies)
      store_->die_at_append(dies->append,
                            dies->when == crash_point::moment::before
                              ? faulty_store::moment::before
                              : faulty_store::moment::after);
    auto code = build_all(h.agents);
    h.world->watch(code);
    runtime_ = open_runtime({}, std::move(code), store_);
  }

  /// @returns Whether it died. @throws failure  The run does not end.
  bool live() {
    const auto end = std::chrono::steady_clock::now() + scenario_.life_max;
    start();
    while (!store_->dead()) {
      const auto seen = store_->appends();
      const auto row = history_.row();
      if (row && is_terminal(row->status))
        break;
      act_for_people();
      const auto left = std::chrono::duration_cast<duration>(
        end - std::chrono::steady_clock::now());
      if (!store_->wait_for_more(seen, left))
        throw failure({errc::timeout, why_not_ended(row)});
    }
    return store_->dead();
  }

  run_result result() {
    auto out = runtime_->result(history_.row().value().id);
    while (out.handed_to) {
      auto next = runtime_->find(*out.handed_to).wait_until_ended();
      out = std::move(next);
    }
    return out;
  }

private:
  /// What a dead process is asked fails; that is no news.
  template <class F>
  void unless_dead(F&& f) {
    try {
      f();
    } catch (const failure& e) {
      // Others decided first, or what waited is over: it is looked at again.
      if (!store_->dead() && e.code() != errc::refused
          && e.code() != errc::not_found && e.code() != errc::conflict)
        throw;
    }
  }

  void start() {
    start_options options;
    options.key = run_key;
    unless_dead(
      [&] { runtime_->start(history_.subject(), scenario_.prompt, options); });
  }

  void act_for_people() {
    for (const auto& row : history_.disk->list({}).value())
      if (!is_terminal(row.status))
        unless_dead([&] {
          const auto now = runtime_->result(row.id);
          for (const auto& doubt : now.in_doubt)
            if (doubt.run == row.id)
              runtime_->resolve(row.id, history_.world->answer(doubt));
          if (!now.approvals.empty() || !now.questions.empty())
            scenario_.people ? scenario_.people(*runtime_, now) : agree(now);
        });
  }

  void agree(const run_result& waiting) {
    for (const auto& a : waiting.approvals)
      for (const auto& role : a.missing_roles)
        runtime_->approve(
          a.run,
          {.call = a.call, .by = person, .role = role, .digest = a.digest});
    for (const auto& q : waiting.questions)
      runtime_->answer(q.run,
                       {.call = q.call,
                        .by = person,
                        .text = q.choices.empty() ? "yes" : q.choices.front()});
  }

  std::string why_not_ended(const std::optional<run_row>& row) const {
    std::string out =
      "the run of \"" + history_.subject() + "\" did not end within "
      + std::to_string(scenario_.life_max.count() / 1'000) + " ms; it is ";
    if (!row)
      return out + "not even started";
    const auto now = runtime_->result(row->id);
    return out + std::string{to_string(now.status)}
           + (now.reason.empty() ? "" : ": " + now.reason);
  }

  const history& history_;
  const crash_scenario& scenario_;
  std::shared_ptr<faulty_store> store_;
  std::unique_ptr<runtime> runtime_;
};

history begin(const agent_maker& make) {
  history out;
  out.agents = make();
  if (out.agents.empty())
    throw failure(
      {errc::invalid_argument, "crash_everywhere was given no agent to start"});
  return out;
}

/// The last life: nobody dies.
run_result end(const history& h, const crash_scenario& s) {
  process last{h, s, {}};
  last.live();
  return last.result();
}

std::string quoted(const run_result& r) {
  return std::string{to_string(r.status)} + " with \""
         + (r.status == run_status::completed ? r.output : r.reason) + '"';
}

/// @returns What is wrong; empty if nothing is.
std::string judge(const history& h, const crash_scenario& s,
                  const run_result& undisturbed, const run_result& now) {
  if (now.status != undisturbed.status || now.output != undisturbed.output)
    return "the run ended as " + quoted(now) + ", without a crash it is "
           + quoted(undisturbed);
  if (auto twice = h.world->repeated(); !twice.empty())
    return twice;
  try {
    if (s.check)
      s.check(now);
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// @returns What is wrong; nothing if the run ended before the point.
std::optional<std::string> try_point(const agent_maker& make,
                                     const crash_scenario& s,
                                     const run_result& undisturbed,
                                     const crash_point& point) {
  const auto h = begin(make);
  try {
    bool has_died = false;
    {
      process first{h, s, point};
      has_died = first.live();
    }
    if (!has_died)
      return std::nullopt;
    return judge(h, s, undisturbed, end(h, s));
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::string sentence(const crash_point& p, const std::string& why) {
  return "a crash " + to_string(p) + ": " + why + "; crash_scenario::only = {"
         + std::to_string(p.append) + ", crash_point::moment::"
         + (p.when == crash_point::moment::before ? "before" : "after")
         + "} tries it alone";
}

} // namespace

std::string to_string(const crash_point& p) {
  return (p.when == crash_point::moment::before ? "before append "
                                                : "after append ")
         + std::to_string(p.append);
}

crash_report crash_everywhere(const agent_maker& make,
                              const crash_scenario& scenario) {
  crash_report out;
  {
    const auto h = begin(make);
    out.undisturbed = end(h, scenario);
    out.failure = judge(h, scenario, out.undisturbed, out.undisturbed);
    if (!out.failure.empty())
      out.failure = "without a crash: " + out.failure;
  }
  /// @returns Whether to go on.
  const auto attempt = [&](const crash_point& p) {
    const auto wrong = try_point(make, scenario, out.undisturbed, p);
    if (!wrong)
      return false;
    out.tried.push_back(p);
    if (!wrong->empty())
      out.failure = sentence(p, *wrong);
    return wrong->empty();
  };
  if (scenario.only) {
    if (out.failure.empty())
      attempt(*scenario.only);
    return out;
  }
  for (std::uint64_t n = 1; out.failure.empty() && n <= appends_max; ++n)
    if (!attempt({n, crash_point::moment::before})
        || !attempt({n, crash_point::moment::after}))
      break;
  return out;
}

crash_report crash_everywhere(const agent& subject,
                              const crash_scenario& scenario) {
  return crash_everywhere([&] { return std::vector<agent>{subject}; },
                          scenario);
}

} // namespace kestrion
