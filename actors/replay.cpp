#include <kestrion/actors/replay.hpp>

#include <kestrion/actors/replay_command.hpp>
#include <kestrion/actors/run_machine.hpp>

#include <algorithm>
#include <type_traits>

namespace kestrion {

namespace {

using log_view = std::span<const recorded_event>;

/// What the log keeps as it was, and need not come out the same.
void take_over(event& decided, const event& recorded) {
  std::visit(
    [&](auto& x) {
      using E = std::decay_t<decltype(x)>;
      const auto* was = std::get_if<E>(&recorded);
      if (!was)
        return;
      if constexpr (requires { x.retry_at.has_value(); }) {
        if (x.retry_at && was->retry_at)
          x.retry_at = was->retry_at;
      } else if constexpr (requires { x.retry_at; }) {
        x.retry_at = was->retry_at;
      }
      if constexpr (requires { x.lost_tokens_estimate; }) {
        x.lost_tokens_estimate = was->lost_tokens_estimate;
        x.lost_usd_micros_estimate = was->lost_usd_micros_estimate;
      }
      constexpr bool words =
        std::is_same_v<
          E,
          run_failed> || std::is_same_v<E, run_expired> || std::is_same_v<E, output_rejected>;
      if constexpr (words)
        x.reason = was->reason;
      if constexpr (std::is_same_v<
                      E,
                      tool_call_failed> || std::is_same_v<E, compaction_failed>)
        x.detail = was->detail;
      if constexpr (std::is_same_v<E, model_switched>)
        x.until = was->until;
      if constexpr (std::is_same_v<E, compaction_started>)
        x.tokens = was->tokens;
      if constexpr (std::is_same_v<E, child_ended>)
        if (x.status != run_status::completed)
          x.content = was->content;
    },
    decided);
}

replay_divergence diverges(const recorded_event& at, std::string decided,
                           std::string why) {
  return {at.seq, std::string{tag_of(at.event)}, std::move(decided),
          std::move(why)};
}

/// Decides what `log` begins with.
/// @returns How many of its events came out the same; all that were decided.
std::variant<std::size_t, replay_divergence>
redecide(const run_state& s, const agent_definition& definition, log_view log) {
  const auto& first = log.front();
  const auto c = command_of(s, log);
  if (!c)
    return diverges(first, {}, "nothing leads to it here");
  auto decided = decide(s, definition, *c);
  if (!decided)
    return diverges(first, {},
                    "it would be refused: " + decided.error().detail);
  auto& events = decided->events;
  if (events.empty())
    return diverges(first, {},
                    "it answers what the run would not wait for here");
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::string tag{tag_of(events[i])};
    if (i == log.size())
      return diverges(log.back(), tag, tag + " would follow it");
    take_over(events[i], log[i].event);
    if (events[i] != log[i].event)
      return diverges(log[i], tag,
                      tag == tag_of(log[i].event)
                        ? "its content would be another"
                        : tag + " would be there");
  }
  return events.size();
}

} // namespace

namespace {

/// Takes the agent's definition to be what the log says it was: that it changed
/// is no divergence.
void follow(agent_definition& definition, const run_state& s, log_view log) {
  if (s.progress.seq == 0)
    return;
  auto digest = definition_of(*s.header, s.progress);
  // A run that is unparked says so first.
  for (const auto& e : log.first(std::min<std::size_t>(log.size(), 2)))
    if (const auto* x = std::get_if<definition_changed>(&e.event))
      digest = x->to;
  if (definition.digest != digest)
    definition.digest = std::move(digest);
}

} // namespace

replay_report replay(const run_id& run, log_view events,
                     const agent_definition& definition) {
  replay_report out{run, {}, events.size(), false, {}};
  run_state s;
  auto then = definition;
  for (std::size_t i = 0; i < events.size();) {
    if (std::holds_alternative<run_forked>(events[i].event)) {
      s = fold(std::move(s), events[i++]); // No decision of the run's.
      continue;
    }
    follow(then, s, events.subspan(i));
    auto same = redecide(s, then, events.subspan(i));
    if (auto* parted = std::get_if<replay_divergence>(&same)) {
      out.divergence = std::move(*parted);
      break;
    }
    for (const auto end = i + std::get<std::size_t>(same); i < end; ++i)
      s = fold(std::move(s), events[i]);
  }
  if (const auto* header =
        events.empty() ? nullptr
                       : std::get_if<run_started>(&events.front().event)) {
    out.agent = header->agent;
    out.definition_changed =
      definition_of(*header, s.progress) != definition.digest;
  }
  return out;
}

} // namespace kestrion
