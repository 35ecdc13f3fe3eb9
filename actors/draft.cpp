#include <kestrion/actors/draft.hpp>

#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/messages/attachments.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/messages/redactor.hpp>
#include <kestrion/messages/valid_text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <algorithm>

namespace kestrion::machine {

void draft::emit(event e) {
  if (out.events.empty())
    out.events.reserve(2); // As many as most commands have.
  make_valid_text(e);
  if (agent.redaction)
    agent.redaction->apply(e);
  recorded_event recorded{after.seq + 1, now, std::move(e)};
  fold_progress(after, recorded);
  out.status = after.status;
  out.events.push_back(std::move(recorded.event));
  out.wake_at = wake_time(after, header());
}

const run_started& draft::header() const {
  return state.progress.seq == 0 ? std::get<run_started>(out.events.front())
                                 : *state.header;
}

run_limits draft::limits() const {
  return limits_of(header().limits, after);
}

void fail(draft& d, errc code, std::string reason) {
  d.emit(run_failed{std::string{to_string(code)}, std::move(reason)});
}

lost_call estimate_lost(const draft& d) {
  lost_call out;
  out.tokens = d.after.said_bytes / bytes_per_token;
  const auto& p = d.after;
  const auto place = p.compaction   ? p.compaction->place
                     : p.model_call ? p.model_call->place
                                    : 0;
  if (const auto& price = d.agent.model_price_of(place))
    out.usd_micros = out.tokens * price->input / 1'000'000;
  return out;
}

std::string is_status(const run_state& s) {
  return "the run is " + std::string{to_string(s.progress.status)};
}

namespace {

std::optional<std::string> flaw_of(const text_part&) {
  return {};
}

std::optional<std::string> flaw_of(const image_part& x) {
  auto why = flaw_in(x);
  if (why)
    why->insert(0, "an image that ");
  return why;
}

std::optional<std::string> flaw_of(const document_part& x) {
  auto why = flaw_in(x);
  if (why)
    why->insert(0, "a document that ");
  return why;
}

template <class Part>
std::optional<std::string> flaw_of(const Part&) {
  return "a part that is neither text nor an image nor a document";
}

} // namespace

std::optional<std::string> flaw_of(const content_part& p) {
  return match(p, [](const auto& x) { return flaw_of(x); });
}

std::optional<error> misfit(const message& input, const std::string& name) {
  const auto is_blank = [](const part& p) {
    const auto* text = std::get_if<text_part>(&p);
    return text && text->text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  const auto& parts = input.parts;
  if (std::all_of(parts.begin(), parts.end(), is_blank))
    return error{errc::invalid_argument,
                 "the prompt for agent \"" + name
                   + "\" is empty; expected something to do"};
  for (const auto& p : parts)
    if (const auto flaw = match(p, [](const auto& x) { return flaw_of(x); }))
      return error{errc::invalid_argument,
                   "the prompt for agent \"" + name + "\" holds " + *flaw};
  return std::nullopt;
}

std::string too_long(std::size_t bytes) {
  return "the result has " + std::to_string(bytes) + " bytes; at most "
         + std::to_string(tool_result_bytes_max) + " can be kept";
}

std::int64_t plausible(std::int64_t counted) {
  constexpr std::int64_t of_a_call_max = 1'000'000'000'000;
  return std::clamp<std::int64_t>(counted, 0, of_a_call_max);
}

token_usage plausible(const token_usage& counted) {
  return {plausible(counted.input_tokens), plausible(counted.cache_read_tokens),
          plausible(counted.cache_write_tokens),
          plausible(counted.output_tokens),
          plausible(counted.reasoning_tokens)};
}

namespace {

question_asked question_of(const open_call& call) {
  question_asked out{call.id, call.arguments, {}};
  const auto json = parse_json(call.arguments, "the arguments");
  const auto* object = json ? json->if_object() : nullptr;
  if (!object)
    return out;
  if (const auto* question = object->if_contains("question"))
    if (const auto* text = question->if_string())
      out.question = *text;
  if (const auto* choices = object->if_contains("choices"))
    if (const auto* all = choices->if_array())
      for (const auto& each : *all)
        if (const auto* text = each.if_string())
          out.choices.emplace_back(*text);
  return out;
}

/// As long as its arguments say; they fit the schema of their kind.
duration sleep_of(const open_call& call) {
  const auto json = parse_json(call.arguments, "the arguments");
  const auto* object = json ? json->if_object() : nullptr;
  const auto* seconds = object ? object->if_contains("seconds") : nullptr;
  const auto* number = seconds ? seconds->if_int64() : nullptr;
  return std::chrono::seconds{number ? *number : 0};
}

/// The fact with which a call of a tool of this kind begins.
event start_of(const open_call& call, const tool_spec* spec, timestamp now) {
  switch (spec ? spec->kind : tool_kind::function) {
    case tool_kind::subagent: return child_started{call.id, spec->agent};
    case tool_kind::handoff: return handed_off{call.id, spec->agent};
    case tool_kind::question: return question_of(call);
    case tool_kind::sleep:
      return sleep_started{call.id, later(now, sleep_of(call))};
    case tool_kind::function: break;
  }
  return tool_call_started{call.id, {}};
}

} // namespace

void start_if_open(draft& d) {
  if (d.after.parked || d.after.limit)
    return; // `unpark_run`, or a yes of people, comes back here.
  std::vector<event> ready;
  std::int64_t children = 0;
  for (const auto& call : d.after.calls) {
    if (call.phase != call_phase::waiting)
      continue;
    if (!missing_roles(call).empty())
      return;
    ready.push_back(start_of(call, d.agent.find_tool(call.tool), d.now));
    children += std::holds_alternative<child_started>(ready.back()) ? 1 : 0;
  }
  if (children != 0)
    stop_if_spent(d, children);
  if (is_terminal(d.after.status) || d.after.limit)
    return;
  for (auto& start : ready)
    d.emit(std::move(start));
}

namespace {

bool is_blank(const boost::json::value& text) {
  return text.as_string().find_first_not_of(" \t\r\n")
         == boost::json::string::npos;
}

/// Why arguments that fit the schema of their kind can't be taken.
std::optional<std::string> misfit(const tool_spec& spec,
                                  const boost::json::object& arguments) {
  if (spec.kind == tool_kind::subagent && is_blank(arguments.at("prompt")))
    return "the prompt for " + spec.agent
           + " is empty; expected something to do";
  if (spec.kind != tool_kind::question)
    return std::nullopt;
  if (is_blank(arguments.at("question")))
    return "the question is empty; expected something to answer";
  if (const auto* choices = arguments.if_contains("choices"))
    for (const auto& each : choices->as_array())
      if (is_blank(each))
        return "a choice of the question is empty; expected an answer";
  return std::nullopt;
}

} // namespace

std::optional<std::string> misfit(const agent_definition& agent,
                                  const std::string& tool,
                                  const std::string& arguments) {
  const auto* spec = agent.find_tool(tool);
  if (!spec) {
    std::string known;
    for (const auto& t : agent.tools)
      known += (known.empty() ? "" : ", ") + t.name;
    return "There is no tool \"" + tool
           + "\". Known tools: " + (known.empty() ? "none" : known) + ".";
  }
  const auto about = "the arguments of " + tool;
  auto json = parse_json(arguments, about);
  if (!json)
    return json.error().detail;
  if (!json->is_object())
    return about + " are no JSON object: " + arguments.substr(0, 200);
  if (auto valid = spec->validator->validate(*json); !valid)
    return about + " do not fit its schema: " + valid.error().detail;
  return misfit(*spec, json->get_object());
}

} // namespace kestrion::machine
