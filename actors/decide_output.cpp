#include <kestrion/actors/draft.hpp>
#include <kestrion/messages/json_text.hpp>

#include <algorithm>

/// Whether the model's last word is the output that the agent declares.
namespace kestrion::machine {

namespace {

constexpr std::size_t reason_bytes_max = 8'192; ///< Of what the model is told.

// -- the document in an answer ------------------------------------------------

std::string_view trimmed(std::string_view text) {
  constexpr auto blanks = " \t\r\n";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// What stands in the fence of Markdown that some models put round JSON; the
/// text as it is if there is none.
std::string_view unfenced(std::string_view text) {
  constexpr std::string_view fence = "```";
  const auto begin = text.find(fence);
  const auto first_line = text.find('\n', std::min(begin, text.size()));
  const auto end = text.rfind(fence);
  if (first_line == std::string_view::npos || end < first_line)
    return text;
  return trimmed(text.substr(first_line + 1, end - first_line - 1));
}

std::string_view last_text(const std::vector<part>& parts) {
  std::string_view last;
  for (const auto& p : parts)
    if (const auto* text = std::get_if<text_part>(&p))
      if (const auto words = trimmed(text->text); !words.empty())
        last = words;
  return last;
}

struct document {
  std::string text;
  boost::json::value json;
};

/// All that was said, or what of it stands in a fence; or else the last text,
/// for some models say something before.
/// @par Errors `invalid_argument`: no JSON.
result<document> document_in(const std::vector<part>& parts) {
  const auto all = text_of({role::assistant, parts});
  const auto whole = trimmed(all);
  if (whole.empty())
    return error{errc::invalid_argument, "the answer is empty"};
  const auto last = last_text(parts);
  std::optional<error> why;
  for (const auto text : {whole, unfenced(whole), last, unfenced(last)}) {
    auto json = parse_json(text, "the answer");
    if (json)
      return document{std::string{text}, std::move(*json)};
    if (!why)
      why = std::move(json).error();
  }
  return *why;
}

// -- what follows -------------------------------------------------------------

/// `o3` for `m3`.
std::string answer_of(const std::string& model_call) {
  return "o" + model_call.substr(1);
}

void reject(draft& d, const std::string& call, std::string reason) {
  if (reason.size() > reason_bytes_max) {
    reason.resize(reason_bytes_max);
    reason += " ...";
  }
  d.emit(output_rejected{call, reason});
  const auto max =
    d.limits().output_attempts_max.value_or(default_output_attempts_max);
  if (d.after.rejections >= max)
    fail(d, errc::invalid_output,
         "answers were rejected " + std::to_string(d.after.rejections)
           + " times, as often as output_attempts_max allows; the last: "
           + reason);
  else
    stop_if_spent(d);
}

bool has_check(const agent_definition& a) {
  return a.output && a.output->is_checked;
}

} // namespace

void take_answer(draft& d, const std::string& call,
                 const std::vector<part>& parts) {
  if (!d.agent.output) {
    d.emit(run_completed{});
    return;
  }
  const auto answer = answer_of(call);
  auto found = document_in(parts);
  if (!found)
    return reject(d, answer, found.error().detail);
  if (auto fits = d.agent.output->validator->validate(found->json); !fits)
    return reject(d, answer,
                  "it does not fit the schema of the answer: "
                    + fits.error().detail);
  std::optional<std::string> output;
  if (found->text != text_of({role::assistant, parts}))
    output = std::move(found->text);
  if (has_check(d.agent))
    d.emit(output_check_started{answer, std::move(output)});
  else
    d.emit(run_completed{std::move(output)});
}

outcome take_verdict(const run_state& s, const agent_definition& a,
                     const tool_done& c) {
  if (s.progress.parked)
    return decision{}; // It is asked again when the run is unparked.
  draft d{s, a, c.now};
  // An agent that has lost its check has nothing against the answer.
  if (c.outcome.failure && has_check(a))
    reject(d, c.call, c.outcome.content);
  else
    d.emit(run_completed{s.progress.check->output});
  return std::move(d.out);
}

} // namespace kestrion::machine
