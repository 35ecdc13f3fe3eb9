#include <kestrion/actors/schedule_book.hpp>

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/valid_text.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace kestrion {

namespace {

constexpr std::string_view book_name = "schedules";
constexpr std::int64_t book_version = 2; ///< 1 knew nothing of overlaps.
constexpr std::size_t name_bytes_max = 128;

/// What the store has.
struct book_text {
  std::int64_t version = book_version;
  schedule_book schedules;
};
BOOST_DESCRIBE_STRUCT(book_text, (), (version, schedules))

/// What a book of version 1 did not say.
void bring_up_to_date(boost::json::object& book) {
  auto* schedules = book["schedules"].if_object();
  if (!schedules)
    return; // It will not decode.
  for (auto& each : *schedules)
    if (auto* stored = each.value().if_object())
      if (auto* request = (*stored)["request"].if_object())
        request->emplace("overlap", "allow");
}

result<schedule_book> parse_book(const std::string& text) {
  if (text.empty())
    return schedule_book{};
  auto json = parse_json(text, "the schedules in the store");
  if (!json)
    return error{errc::corrupt, json.error().detail};
  if (auto* object = json->if_object())
    if (const auto* version = object->if_contains("version");
        version && version->is_int64()) {
      if (version->as_int64() > book_version)
        return error{errc::unsupported,
                     "the schedules in the store are of version "
                       + std::to_string(version->as_int64())
                       + "; this program knows version "
                       + std::to_string(book_version)};
      if (version->as_int64() == 1)
        bring_up_to_date(*object);
    }
  auto out = decode_json<book_text>(*json);
  if (!out)
    return error{errc::corrupt,
                 "the schedules in the store: " + out.error().detail};
  return std::move(out->schedules);
}

/// @param change  Gets the book and returns a result, or nothing; its error
///                leaves all as it is.
template <class Change>
auto update(event_store& store, Change change)
  -> decltype(change(std::declval<schedule_book&>())) {
  using answer = decltype(change(std::declval<schedule_book&>()));
  answer out = error{errc::io, "the store did not get to the schedules"};
  auto written = store.update_shared(book_name, [&](const std::string& text) {
    auto book = parse_book(text);
    if (!book) {
      out = book.error();
      return text;
    }
    out = change(*book);
    if (!out || (text.empty() && book->empty()))
      return text;
    return encode_json(book_text{book_version, std::move(*book)});
  });
  return written ? std::move(out) : written.error();
}

error no_such_schedule(std::string_view name) {
  return {errc::not_found,
          "there is no schedule \"" + std::string{name} + "\" in this store"};
}

error about(const std::string& name, const error& why) {
  return {why.code, "schedule \"" + name + "\": " + why.detail};
}

/// Changes one schedule.
template <class Change>
result<void> change_one(event_store& store, std::string_view name,
                        Change change) {
  return update(store, [&](schedule_book& book) -> result<void> {
    const auto found = book.find(std::string{name});
    if (found == book.end())
      return no_such_schedule(name);
    return change(found->second);
  });
}

result<void> check(const schedule_request& r) {
  if (r.name.empty() || r.name.size() > name_bytes_max)
    return error{errc::invalid_argument,
                 "the name of a schedule has " + std::to_string(r.name.size())
                   + " bytes; expected 1 to " + std::to_string(name_bytes_max)};
  if (r.grace < duration{})
    return error{errc::invalid_argument,
                 "schedule \"" + r.name + "\": the grace is "
                   + std::to_string(r.grace.count())
                   + " microseconds; expected 0 or more"};
  return {};
}

/// Nothing up to now is of interest any more.
void begin_at(stored_schedule& s, timestamp now) {
  s.state.settled = std::max(s.state.settled, now);
  s.state.backfills.clear();
}

result<void> check_comes(const stored_schedule& s, const tick_series& ticks) {
  if (ticks.next(s.state.settled))
    return {};
  return error{errc::invalid_argument,
               "schedule \"" + s.request.name
                 + "\": its time has passed; expected one after "
                 + to_string(s.state.settled)};
}

} // namespace

result<schedule_book> read_schedules(event_store& store) {
  return update(
    store, [](schedule_book& book) -> result<schedule_book> { return book; });
}

result<stored_schedule> find_schedule(event_store& store,
                                      std::string_view name) {
  return update(store, [&](schedule_book& book) -> result<stored_schedule> {
    const auto found = book.find(std::string{name});
    if (found == book.end())
      return no_such_schedule(name);
    return found->second;
  });
}

result<void> put_schedule(event_store& store, schedule_request r,
                          timestamp now) {
  make_valid_text(r);
  if (auto fine = check(r); !fine)
    return fine;
  const auto ticks = tick_series::make(r.times);
  if (!ticks)
    return about(r.name, ticks.error());
  return update(store, [&](schedule_book& book) -> result<void> {
    const auto found = book.find(r.name);
    if (found == book.end()) {
      if (book.size() >= schedules_max)
        return error{errc::limit_exceeded,
                     "the store has " + std::to_string(book.size())
                       + " schedules already, which is the most; remove one "
                         "to add \""
                       + r.name + '"'};
      stored_schedule added{r, {}};
      begin_at(added, now);
      auto fine = check_comes(added, *ticks);
      if (fine)
        book.emplace(r.name, std::move(added));
      return fine;
    }
    auto& there = found->second;
    const bool has_new_times = there.request.times != r.times;
    // Keys are an agent's own: what another one has started does not count.
    if (has_new_times || there.request.agent != r.agent)
      begin_at(there, now);
    there.request = r;
    return has_new_times ? check_comes(there, *ticks) : result<void>{};
  });
}

result<void> remove_schedule(event_store& store, std::string_view name) {
  return update(store, [&](schedule_book& book) -> result<void> {
    if (book.erase(std::string{name}) == 0)
      return no_such_schedule(name);
    return {};
  });
}

result<void> pause_schedule(event_store& store, std::string_view name,
                            std::string by) {
  if (by.empty())
    return error{errc::invalid_argument, "who pauses schedule \""
                                           + std::string{name}
                                           + "\" is empty; expected a name"};
  return change_one(store, name, [&](stored_schedule& s) -> result<void> {
    if (!s.state.paused_by)
      s.state.paused_by = to_valid_utf8(std::move(by));
    return {};
  });
}

result<void> resume_schedule(event_store& store, std::string_view name,
                             timestamp now) {
  return change_one(store, name, [&](stored_schedule& s) -> result<void> {
    if (std::exchange(s.state.paused_by, std::nullopt))
      s.state.settled = std::max(s.state.settled, now);
    return {};
  });
}

result<void> backfill_schedule(event_store& store, std::string_view name,
                               timestamp from, timestamp until, timestamp now) {
  const auto wrong = [&](errc code, const std::string& why) {
    return error{code, "the backfill of schedule \"" + std::string{name}
                         + "\" from " + to_string(from) + " until "
                         + to_string(until) + ' ' + why};
  };
  if (from < timestamp{} || from >= until || until > now)
    return wrong(errc::invalid_argument,
                 "is no range of the past; now is " + to_string(now));
  return change_one(store, name, [&](stored_schedule& s) -> result<void> {
    const auto ticks = tick_series::make(s.request.times);
    if (!ticks)
      return about(s.request.name, ticks.error());
    const auto found =
      ticks->last(from - duration{1}, until - duration{1}, ticks_due_max + 1);
    if (found.empty())
      return {};
    if (found.size() > ticks_due_max)
      return wrong(errc::limit_exceeded, "has more than "
                                           + std::to_string(ticks_due_max)
                                           + " ticks, which is the most");
    if (s.state.backfills.size() >= backfills_max)
      return wrong(errc::limit_exceeded, "would be one of more than "
                                           + std::to_string(backfills_max)
                                           + " that are not done");
    s.state.backfills.push_back({from - duration{1}, until});
    return {};
  });
}

// -- what is due --------------------------------------------------------------

run_started header_of(const schedule_request& r) {
  run_started out;
  out.tenant = r.tenant;
  out.labels = r.labels;
  if (r.lane != call_lane::batch)
    out.lane = r.lane;
  if (r.priority != 0)
    out.priority = r.priority;
  return out;
}

result<schedule_look>
look_at_book(event_store& store,
             const std::function<bool(const std::string& agent)>& knows,
             timestamp now, std::size_t starts_max) {
  return update(store, [&](schedule_book& book) -> result<schedule_look> {
    schedule_look out;
    for (auto& [name, s] : book) {
      if (!knows(s.request.agent))
        continue;
      const auto ticks = tick_series::make(s.request.times);
      if (!ticks) { // The system knows the zone no more, say.
        s.state.problem = ticks.error().detail;
        continue;
      }
      auto plan = plan_ticks(*ticks, s.request, s.state, now, starts_max);
      s.state = std::move(plan.state);
      const bool may_overlap = s.request.overlap == overlap_policy::allow;
      for (const auto tick : plan.due) {
        out.starts.push_back({s.request, tick, false,
                              may_overlap ? std::nullopt : s.state.last_run});
        if (!may_overlap)
          break; // The next may have to wait for this one.
      }
      for (const auto tick : plan.backfill)
        out.starts.push_back({s.request, tick, true, std::nullopt});
      if (plan.next && (!out.next || *plan.next < *out.next))
        out.next = plan.next;
    }
    std::stable_sort(
      out.starts.begin(), out.starts.end(),
      [](const auto& a, const auto& b) { return a.tick < b.tick; });
    if (out.starts.size() > starts_max)
      out.starts.erase(out.starts.begin()
                         + static_cast<std::ptrdiff_t>(starts_max),
                       out.starts.end());
    return out;
  });
}

result<void> note_outcomes(event_store& store,
                           const std::vector<tick_outcome>& outcomes) {
  return update(store, [&](schedule_book& book) -> result<void> {
    std::set<std::pair<std::string, bool>> held_up;
    for (const auto& x : outcomes) {
      const auto found = book.find(x.schedule);
      if (found == book.end())
        continue; // Removed meanwhile.
      if (!x.run && may_pass(x.run.error().code))
        held_up.emplace(x.schedule, x.is_backfill);
      if (held_up.contains({x.schedule, x.is_backfill}))
        continue;
      auto& [request, state] = found->second;
      const auto run = x.run ? std::optional{*x.run} : std::nullopt;
      state.problem =
        x.run ? std::nullopt : std::optional{x.run.error().detail};
      if (!x.is_backfill)
        settle_tick(state, x.tick, run);
      else if (const auto ticks = tick_series::make(request.times))
        settle_backfill(state, *ticks, x.tick, run);
    }
    return {};
  });
}

} // namespace kestrion
