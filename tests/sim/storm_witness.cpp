#include <kestrion/tests/sim/storm_witness.hpp>

#include <kestrion/actors/run_machine.hpp>
#include <kestrion/messages/match.hpp>

#include <algorithm>
#include <functional>

namespace kestrion::test {

namespace {

constexpr std::size_t notes_max = 150;

/// Who said or decided it, if a person did.
std::optional<std::string> person_in(const event& e) {
  return match(
    e, [](const message_received& x) { return x.by; },
    [](const signal_received& x) { return std::optional{x.by}; },
    [](const approval_granted& x) { return std::optional{x.by}; },
    [](const approval_denied& x) { return std::optional{x.by}; },
    [](const tool_call_started& x) { return x.by; },
    [](const tool_call_completed& x) { return x.by; },
    [](const tool_call_failed& x) { return x.by; },
    [](const run_cancelled& x) { return std::optional{x.by}; },
    [](const run_resumed& x) { return std::optional{x.by}; },
    [](const run_forked& x) { return std::optional{x.by}; },
    [](const auto&) { return std::optional<std::string>{}; });
}

const open_call* sleeper(const run_state& s, const std::string& id) {
  for (const auto& call : s.progress.calls)
    if (call.id == id && call.phase == call_phase::sleeping)
      return &call;
  return nullptr;
}

/// Who wakes a run has said something, which is an event of its own.
bool wakes(const run_state& s, const event& e) {
  const auto* over = std::get_if<tool_call_completed>(&e);
  return over && sleeper(s, over->call);
}

} // namespace

storm_counts& storm_counts::operator+=(const storm_counts& x) {
  seeds += x.seeds;
  steps += x.steps;
  turns += x.turns;
  runs += x.runs;
  events += x.events;
  effects += x.effects;
  faults += x.faults;
  crashes += x.crashes;
  hangs += x.hangs;
  kills += x.kills;
  takeovers += x.takeovers;
  commands += x.commands;
  looks += x.looks;
  forks += x.forks;
  naps += x.naps;
  return *this;
}

// -- the report ---------------------------------------------------------------

void storm_witness::note(std::string what) {
  course_ = course_ * 31 + std::hash<std::string>{}(what);
  if (violation_)
    return;
  if (notes_.size() == notes_max)
    notes_.pop_front();
  notes_.push_back(std::to_string(std::chrono::duration<double>{now}.count())
                   + " " + std::move(what));
}

bool storm_witness::expect(bool holds, const std::string& what) {
  if (!holds && !violation_)
    violation_ = what;
  return holds;
}

std::string storm_witness::report() const {
  std::string out = violation_.value_or("no violation");
  out += "\nThe last that happened:";
  for (const auto& each : notes_)
    out += "\n  " + each;
  return out;
}

std::string storm_witness::name_of(const run_id& run) const {
  const auto found = names_.find(run);
  return found == names_.end() ? run.str()
                               : "r" + std::to_string(found->second);
}

bool storm_witness::all_ended() const {
  return std::all_of(logs_.begin(), logs_.end(), [](const auto& each) {
    return is_terminal(each.second.state.progress.status);
  });
}

// -- processes ----------------------------------------------------------------

life_id storm_witness::born() {
  lives_[++last_life_] = now;
  note("life " + std::to_string(last_life_) + " begins");
  return last_life_;
}

void storm_witness::died(life_id life) {
  lives_.erase(life);
  note("life " + std::to_string(life) + " ends");
}

// -- the store ----------------------------------------------------------------

void storm_witness::check_owner(life_id life, const run_id& run, run_log& log) {
  if (!log.owner || log.owner == life)
    return;
  const auto other = lives_.find(*log.owner);
  if (other == lives_.end())
    return;
  expect(now - other->second >= lease_,
         "two owners: life " + std::to_string(life) + " has " + name_of(run)
           + " while life " + std::to_string(*log.owner)
           + " lives and has it too");
  ++log.takeovers;
  ++counts.takeovers;
}

void storm_witness::claimed(life_id life, const run_id& run) {
  const auto found = logs_.find(run);
  if (found == logs_.end() || is_at_rest(found->second.state.progress.status))
    return;
  check_owner(life, run, found->second);
  found->second.owner = life;
}

void storm_witness::committed(life_id life, const append_request& request) {
  const auto& run = request.run;
  auto& log = logs_[run];
  if (names_.emplace(run, static_cast<int>(names_.size())).second)
    ++counts.runs;
  std::string tags;
  for (const auto& e : request.events)
    tags += " " + std::string{e.type};
  note("life " + std::to_string(life) + ", " + name_of(run) + ":" + tags);
  expect(request.expected_seq == log.raw.size(),
         name_of(run) + " has a log that is not dense");
  expect(!is_terminal(log.state.progress.status),
         name_of(run) + " has an event after its end");
  check_owner(life, run, log);
  log.is_fork = log.is_fork || request.events.back().type == run_forked::tag;
  for (const auto& e : request.events) {
    ++counts.events;
    auto decoded = decode_event(e.type, e.data);
    if (!expect(decoded.has_value(), "an event can't be read"))
      return;
    log.raw.emplace_back(e.type, e.data);
    if (const auto* over = std::get_if<tool_call_completed>(&*decoded))
      check_nap(run, log, *over, e.at);
    // A fork may be one of a fork.
    if (request.events.back().type == run_forked::tag
        && &e != &request.events.back())
      observe_copy(log, *decoded);
    else
      observe(life, run, log, *decoded);
    log.state =
      fold(std::move(log.state), {log.raw.size(), e.at, std::move(*decoded)});
  }
  const auto& p = log.state.progress;
  expect(p.status == request.status,
         name_of(run) + ": the status is not that of its log");
  expect(wake_time(p, *log.state.header) == request.wake_at,
         name_of(run) + ": the deadline is not that of its log");
  log.writer = life;
  log.owner = is_at_rest(p.status) ? std::nullopt : std::optional{life};
}

void storm_witness::observe(life_id life, const run_id& run, run_log& log,
                            const event& e) {
  if (const auto by = person_in(e); by && !wakes(log.state, e))
    expect(++marks_[*by] == 1 || by->starts_with("run "),
           "what " + *by + " said is in the logs twice");
  match(
    e, [&](const run_started& x) { check_birth(run, x); },
    [&](const tool_call_started& x) { ++log.starts[x.call]; },
    [&](const child_started& x) { log.children.insert(x.call); },
    [&](const handed_off& x) {
      log.children.insert(x.call);
      log.handed = x.call;
    },
    [&](const child_ended& x) {
      expect(++log.ends[x.call] == 1,
             name_of(run) + " hears twice of the end of " + x.call);
      check_end_of_child(run, x);
    },
    [&](const model_call_completed& x) { log.answered[x.call] = life; },
    [&](const run_forked&) { ++counts.forks; },
    [&](const run_resumed&) { log.is_armed = true; },
    [](const auto&) {
      // Nothing to remember.
    });
}

void storm_witness::observe_copy(run_log& log, const event& e) {
  match(
    e,
    [&](const tool_call_started& x) {
      log.starts[x.call] = 0;
      log.copied.insert(x.call);
    },
    [&](const child_started& x) { log.children.insert(x.call); },
    [&](const handed_off& x) {
      log.children.insert(x.call);
      log.handed = x.call;
    },
    [&](const child_ended& x) { ++log.ends[x.call]; },
    [](const auto&) {
      // It says nothing about what this run may do.
    });
}

/// Nobody is woken before the time, but by somebody.
void storm_witness::check_nap(const run_id& run, const run_log& log,
                              const tool_call_completed& e, timestamp at) {
  const auto* call = sleeper(log.state, e.call);
  if (!call)
    return;
  ++counts.naps;
  expect(e.by || at >= call->not_before,
         name_of(run) + " is woken early from " + e.call);
}

/// A run below another one: that one asked for it, durably, before.
void storm_witness::check_birth(const run_id& run, const run_started& e) {
  const auto asked = e.handed_from ? e.handed_from : e.parent;
  if (!asked)
    return;
  const auto above = logs_.find(*asked);
  if (!expect(above != logs_.end(), name_of(run) + " has no parent"))
    return;
  const auto& calls = above->second.children;
  expect(std::any_of(calls.begin(), calls.end(),
                     [&](const auto& c) { return child_id(*asked, c) == run; }),
         name_of(run) + " began before " + name_of(*asked) + " asked for it");
}

/// A conversation ends as who has it last. One that is cancelled while it is
/// handed over has two ends: either may be heard.
bool storm_witness::ended_as(run_id run, run_status status) const {
  for (;;) {
    const auto found = logs_.find(run);
    if (found == logs_.end())
      return false;
    const auto& log = found->second;
    const auto& p = log.state.progress;
    if (p.status == status && !p.handed_over)
      return true;
    if (!log.handed)
      return false;
    run = child_id(run, *log.handed);
  }
}

void storm_witness::check_end_of_child(const run_id& run,
                                       const child_ended& e) {
  const auto child = child_id(run, e.call);
  if (!logs_.contains(child))
    expect(e.status == run_status::failed,
           name_of(run) + " hears of " + e.call + ", which never was");
  else
    expect(ended_as(child, e.status),
           name_of(run) + " hears that " + e.call + " is "
             + std::string{to_string(e.status)} + " (" + e.content
             + "), but nobody ended so");
}

// -- effects ------------------------------------------------------------------

/// Of a life that wrote the end or the parking of a run itself.
void storm_witness::check_effect(life_id life, const run_id& run,
                                 const std::string& what) {
  ++counts.effects;
  note("life " + std::to_string(life) + ", " + name_of(run) + ": " + what);
  const auto found = logs_.find(run);
  if (!expect(found != logs_.end(), what + " of a run that is not durable"))
    return;
  const auto& log = found->second;
  expect(!log.is_fork || log.is_armed,
         name_of(run) + ": " + what + " of a fork that nobody armed");
  if (log.writer != life)
    return; // Late: it may finish what it has begun.
  expect(!is_terminal(log.state.progress.status),
         name_of(run) + ": " + what + " starts after "
           + std::string{to_string(log.state.progress.status)});
  expect(!log.state.progress.parked,
         name_of(run) + ": " + what + " starts while it is parked");
}

void storm_witness::model_began(life_id life, const model_request& request) {
  const auto& key = request.idempotency_key;
  const auto slash = key.find('/');
  const auto run = run_id::parse(key.substr(0, slash)).value();
  const auto call = key.substr(slash + 1);
  check_effect(life, run, "model call " + call);
  const auto found = logs_.find(run);
  if (found == logs_.end())
    return;
  const auto answered = found->second.answered.find(call);
  expect(answered == found->second.answered.end() || answered->second != life,
         name_of(run) + ": " + call + " is asked after its answer");
}

void storm_witness::tool_began(life_id life, effect_contract contract,
                               const std::string& tool,
                               const std::string& arguments,
                               const tool_context& context) {
  check_effect(life, context.run, tool + " " + context.call);
  expect(!context.stop.stop_requested(),
         name_of(context.run) + ": " + tool + " " + context.call
           + " starts after it was asked to stop");
  const auto found = logs_.find(context.run);
  if (found == logs_.end())
    return;
  auto& log = found->second;
  const auto& key = context.idempotency_key;
  expect(key == context.run.str() + "/" + context.call,
         "another idempotency key: " + key);
  expect(log.starts.contains(context.call),
         name_of(context.run) + ": " + context.call
           + " starts before that is durable");
  auto& x = executions_[key];
  expect(x.times == 0 || (x.tool == tool && x.arguments == arguments),
         "another call under the key of " + key);
  x.tool = tool;
  x.arguments = arguments;
  ++x.times;
  if (contract == effect_contract::once)
    expect(x.times <= log.starts[context.call],
           name_of(context.run) + ": " + tool + " " + context.call
             + " happens again, and nobody said so");
  if (contract == effect_contract::probe)
    expect(x.times <= log.starts[context.call] + log.takeovers
                        + static_cast<int>(log.copied.count(context.call)),
           name_of(context.run) + ": " + context.call
             + " happens again, though it can be probed");
}

// -- people -------------------------------------------------------------------

void storm_witness::acknowledged(const std::string& mark, bool adds,
                                 const run_id& run, std::uint64_t seq) {
  note(mark + " is acknowledged");
  const auto found = logs_.find(run);
  if (!expect(found != logs_.end(), mark + " is acknowledged by no run"))
    return;
  expect(found->second.raw.size() >= seq,
         mark + " is acknowledged, but " + name_of(run) + " is shorter");
  if (adds)
    expect(marks_.contains(mark),
           mark + " is acknowledged, but not in the log of " + name_of(run));
}

void storm_witness::started(const std::string& key, const run_id& run) {
  expect(logs_.contains(run), "a start is acknowledged that is not durable");
  expect(keys_.emplace(key, run).first->second == run,
         "two runs have the key " + key);
}

} // namespace kestrion::test
