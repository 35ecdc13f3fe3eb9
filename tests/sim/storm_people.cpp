#include <kestrion/tests/sim/storm.hpp>

#include <kestrion/actors/fork.hpp>
#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_queries.hpp>

#include <caf/event_based_actor.hpp>

/// What people do in a storm: starting, deciding, meddling, waiting.
namespace kestrion::test {

namespace {

/// Asks the directory as an actor would; nobody waits for an answer that never
/// comes.
/// @returns False if the directory is being started anew: nobody was asked.
template <class Answer, class Message>
bool ask_later(sim& world, Message m,
               std::function<void(const result<Answer>&)> f) {
  const auto directory = world.directory();
  if (!directory)
    return false;
  world.system().spawn<caf::hidden>(
    [directory, m = std::move(m), f](caf::event_based_actor* self) {
      self->request(directory, caf::infinite, m)
        .then([f](const Answer& a) { f(a); },
              [f](const caf::error& e) { f(from_caf(e)); });
    });
  return true;
}

} // namespace

void storm::start(process& p) {
  if (starts_ >= 3)
    return;
  // Now and then with the key of one that was begun before.
  const auto n = starts_ > 0 && one_in(4) ? 1 + below(starts_) : ++starts_;
  start_request request{
    one_in(4) ? "aide" : "lead", user_message("Go on."), {}};
  request.options.key = "k" + std::to_string(n);
  const auto key = request.agent + *request.options.key;
  ++witness_.counts.commands;
  ask_later<run_receipt>(*p.world, std::move(request),
                         [this, key](const result<run_receipt>& r) {
                           if (r)
                             witness_.started(key, r->run);
                         });
}

void storm::give(process& p, const run_id& run, command c,
                 const std::string& mark) {
  ++witness_.counts.commands;
  const bool adds = !std::holds_alternative<cancel_run>(c);
  witness_.note("life " + std::to_string(p.life) + ", " + witness_.name_of(run)
                + ": " + mark + " says " + encode_command(c).value());
  ask_later<run_receipt>(*p.world, run_command{run, std::move(c)},
                         [this, mark, adds](const result<run_receipt>& r) {
                           if (r)
                             witness_.acknowledged(mark, adds, r->run, r->seq);
                           else
                             witness_.note(
                               mark + " is refused: " + to_string(r.error()));
                         });
}

void storm::approve(process& p, const pending_approval& a) {
  const auto mark = next_mark();
  const auto& role = a.missing_roles[below(a.missing_roles.size())];
  if (one_in(5)) {
    give(
      p, a.run,
      deny_call{{.call = a.call, .by = mark, .role = role, .reason = "no"}, {}},
      mark);
    return;
  }
  approval decision{
    .call = a.call, .by = mark, .role = role, .digest = a.digest};
  if (one_in(6))
    decision.arguments = "{\"value\":" + std::to_string(below(10)) + "}";
  if (one_in(8))
    decision.role = "nobody";
  give(p, a.run, approve_call{std::move(decision), {}}, mark);
}

bool storm::decide(process& p, const run_id& run) {
  const auto& state = witness_.logs().at(run).state;
  const auto now = result_of(run, state);
  if (is_terminal(now.status))
    return false;
  if (state.progress.parked) {
    const auto mark = next_mark();
    give(p, run, unpark_run{mark, {}}, mark);
    return true;
  }
  for (const auto& a : now.approvals)
    approve(p, a);
  for (const auto& q : now.questions) {
    const auto mark = next_mark();
    const auto text = q.choices.empty() ? "this" : q.choices[below(2)];
    give(p, run, answer_question{{q.call, mark, text}, {}}, mark);
  }
  for (const auto& d : now.in_doubt) {
    const auto mark = next_mark();
    const auto answer = static_cast<doubt_answer>(below(3));
    give(p, run, resolve_doubt{{d.call, answer, mark, "it did"}, {}}, mark);
  }
  return !now.approvals.empty() || !now.questions.empty()
         || !now.in_doubt.empty();
}

void storm::meddle(process& p) {
  if (witness_.logs().empty())
    return;
  auto it = witness_.logs().begin();
  std::advance(it, static_cast<std::ptrdiff_t>(below(witness_.logs().size())));
  const auto run = it->first;
  if (one_in(12))
    return branch(p, run);
  const auto dice = below(10);
  if (dice < 5 && decide(p, run))
    return;
  const auto mark = next_mark();
  if (dice < 7)
    give(p, run, send_message{user_message("Mind that."), mark, one_in(2), {}},
         mark);
  else if (dice < 8)
    give(p, run, signal_run{"deployed", "v2", mark, {}}, mark);
  else if (dice < 9 && one_in(2))
    give(p, run, cancel_run{mark, "enough", {}}, mark);
  else
    give(p, run, unpark_run{mark, {}}, mark);
}

void storm::branch(process& p, const run_id& run) {
  const auto events = load_events(*p.store, run);
  if (!events || events->empty())
    return; // The disk fails, or all of it does.
  const auto mark = next_mark();
  const auto now = begin + witness_.now;
  const auto fresh =
    run_id::make(now, static_cast<std::uint16_t>(random_()), random_());
  auto request =
    fork_of(fresh, run, *events, 1 + below(events->size()), {.by = mark}, now);
  if (!request)
    return; // No place for it.
  witness_.note("life " + std::to_string(p.life) + ": " + mark + " forks "
                + witness_.name_of(run));
  const std::vector<append_request> all{std::move(*request)};
  if (const auto seq = p.store->append(all).front())
    witness_.acknowledged(mark, true, fresh, *seq);
}

void storm::await_all(process& p) {
  for (const auto& [id, log] : witness_.logs()) {
    const bool is_asked = ask_later<run_result>(
      *p.world, await_run{id, wait_until::ended},
      [this, id = id](const result<run_result>& r) {
        if (r && r->status == run_status::parked)
          ++waits_over_; // That is an answer, too.
        else if (!r && r.error().code == errc::unavailable)
          ++waits_over_; // The directory had been killed: one has to ask again.
        else if (witness_.expect(r.has_value(),
                                 r ? ""
                                   : "a wait fails: " + to_string(r.error())))
          waits_over_ +=
            witness_.expect(r->status
                              == witness_.logs().at(id).state.progress.status,
                            "a wait is answered with another end")
              ? 1
              : 0;
      });
    waits_ += is_asked ? 1 : 0;
  }
}

} // namespace kestrion::test
