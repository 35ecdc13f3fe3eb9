#include <kestrion/actors/draft.hpp>
#include <kestrion/messages/utf8.hpp>

#include <algorithm>

/// Who may answer what a model asks.
namespace kestrion::machine {

namespace {

bool names(const question_answer& x, const std::string& call) {
  return x.call.empty() || x.call == call;
}

/// Why nothing can be answered where no question that fits is open.
error why_not(const run_progress& p, const question_answer& x) {
  for (const auto& closed : p.closed_questions)
    if (!x.call.empty() && closed.call == x.call)
      return {errc::refused,
              "call " + x.call + " was answered by " + closed.by};
  if (is_terminal(p.status))
    return {errc::refused, "the run is " + std::string{to_string(p.status)}
                             + "; nothing can be answered any more"};
  return {errc::not_found, x.call.empty()
                             ? "no question of the run waits for an answer"
                             : "call " + x.call + " asks nothing"};
}

/// Why `x` is no answer to this question.
std::optional<error> misfit(const open_call& call, const question_answer& x) {
  const auto about = "the answer to call " + call.id + " ";
  if (x.text.find_first_not_of(" \t\r\n") == std::string::npos)
    return error{errc::invalid_argument, about + "is empty"};
  if (x.text.size() > tool_result_bytes_max)
    return error{errc::invalid_argument,
                 about + "is too long: " + too_long(x.text.size())};
  const auto& choices = call.choices;
  if (choices.empty()
      || std::find(choices.begin(), choices.end(), x.text) != choices.end())
    return std::nullopt;
  std::string all;
  for (const auto& each : choices)
    all += (all.empty() ? "" : ", ") + each;
  return error{errc::invalid_argument, about + "is \"" + x.text.substr(0, 200)
                                         + "\"; expected one of: " + all};
}

/// The one question that `x` is about; nothing for a repetition.
result<const open_call*> find_question(const run_progress& p,
                                       const question_answer& x) {
  if (x.by.empty())
    return error{errc::invalid_argument,
                 "who answers a question has to be named: \"by\" is empty"};
  std::vector<const open_call*> open;
  std::string ids;
  for (const auto& call : p.calls)
    if (call.phase == call_phase::asking && names(x, call.id)) {
      open.push_back(&call);
      ids += (ids.empty() ? "" : ", ") + call.id;
    }
  if (open.size() > 1)
    return error{errc::refused, "several questions are open (" + ids
                                  + "); name one by its \"call\""};
  if (!open.empty())
    return open.front();
  const auto& closed = p.closed_questions;
  const bool is_repeated =
    std::any_of(closed.begin(), closed.end(), [&](const auto& q) {
      return names(x, q.call) && x.by == q.by && x.text == q.text;
    });
  if (is_repeated)
    return nullptr;
  return why_not(p, x);
}

} // namespace

outcome on(const run_state& s, const agent_definition& a,
           const answer_question& c) {
  auto x = c.answer; // As the log will have it.
  x.by = to_valid_utf8(std::move(x.by));
  x.text = to_valid_utf8(std::move(x.text));
  const auto call = find_question(s.progress, x);
  if (!call)
    return call.error();
  if (!*call)
    return decision{}; // The same answer twice is one answer.
  if (auto why = misfit(**call, x))
    return *why;
  draft d{s, a, c.now};
  d.emit(tool_call_completed{(*call)->id, x.text, {}, x.by});
  stop_if_spent(d);
  return std::move(d.out);
}

} // namespace kestrion::machine
