#include <kestrion/actors/fork.hpp>

#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/messages/valid_text.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace kestrion {

namespace {

using log_view = std::span<const recorded_event>;

/// After which events a fork is possible, in their order. Events that were
/// appended together have one time; two appends of one microsecond pass as one.
std::vector<std::uint64_t> places_in(log_view events) {
  std::vector<std::uint64_t> out;
  run_state state;
  for (std::size_t i = 0; i < events.size(); ++i) {
    fold_progress(state.progress, events[i]);
    if (is_terminal(state.progress.status))
      break;
    if (i + 1 == events.size() || events[i + 1].at != events[i].at)
      out.push_back(events[i].seq);
  }
  return out;
}

error no_place(const run_id& original, std::uint64_t at, log_view events,
               const std::vector<std::uint64_t>& places) {
  const auto above = std::lower_bound(places.begin(), places.end(), at);
  std::string nearest;
  if (above != places.begin())
    nearest = std::to_string(*(above - 1));
  if (above != places.end())
    nearest += (nearest.empty() ? "" : " or ") + std::to_string(*above);
  return {errc::invalid_argument,
          "run " + original.str() + " can't be forked at event "
            + std::to_string(at) + " of " + std::to_string(events.size())
            + (nearest.empty() ? "; there is no place where it can"
                               : "; the nearest places are " + nearest)};
}

} // namespace

result<append_request> fork_of(const run_id& fresh, const run_id& original,
                               log_view events, std::uint64_t at,
                               const fork_options& options, timestamp now) {
  if (options.by.empty())
    return error{errc::invalid_argument,
                 "who forks a run has to be named: \"by\" is empty"};
  const auto places = places_in(events);
  if (!std::binary_search(places.begin(), places.end(), at))
    return no_place(original, at, events, places);
  auto header = std::get<run_started>(events.front().event);
  header.parent.reset();
  header.parent_call.reset();
  header.key.reset();
  header.deadline.reset();
  append_request out;
  out.run = fresh;
  out.created.emplace();
  out.created->agent = header.agent;
  out.created->tenant = header.tenant;
  out.events.reserve(at + 1);
  out.events.push_back(encode(std::move(header), events.front().at));
  for (const auto& e : events.subspan(1, at - 1))
    out.events.push_back(encode(e.event, e.at));
  event forked =
    run_forked{original, static_cast<std::int64_t>(at), options.by};
  make_valid_text(forked);
  out.events.push_back(encode(forked, now));
  out.status = run_status::parked;
  return out;
}

} // namespace kestrion
