#include <kestrion/actors/schedule_book.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace std::chrono_literals;

namespace schedule_book_test {

constexpr timestamp noon{std::chrono::hours{500'004}};

schedule_request hourly(const std::string& prompt = "Go on.") {
  schedule_request out;
  out.name = "hourly";
  out.agent = "clerk";
  out.input = user_message(prompt);
  out.times = every(1h, noon - 100h);
  out.tenant = "gold";
  out.labels = {{"team", "night"}};
  out.lane = call_lane::interactive;
  out.priority = -3;
  return out;
}

struct fixture {
  std::unique_ptr<event_store> store = open_store("memory:").value();

  std::string text() {
    std::string out;
    BOOST_REQUIRE(store->update_shared(
      "schedules", [&](const auto& now) { return out = now; }));
    return out;
  }

  void write(const std::string& text) {
    BOOST_REQUIRE(
      store->update_shared("schedules", [&](const auto&) { return text; }));
  }

  void put(schedule_request r, timestamp now = noon) {
    const auto done = put_schedule(*store, std::move(r), now);
    BOOST_REQUIRE_MESSAGE(done, done.error().detail);
  }

  stored_schedule there() { return find_schedule(*store, "hourly").value(); }

  std::vector<due_start> due(timestamp now, std::size_t starts_max = 64) {
    return look_at_book(
             *store, [](const auto& agent) { return agent == "clerk"; }, now,
             starts_max)
      .value()
      .starts;
  }

  /// @param run  Of each; nothing: it failed for a while.
  void note(const std::vector<due_start>& starts,
            const std::vector<bool>& succeeded = {}) {
    std::vector<tick_outcome> out;
    for (std::size_t i = 0; i < starts.size(); ++i)
      out.push_back({starts[i].request.name, starts[i].tick,
                     starts[i].is_backfill,
                     succeeded.empty() || succeeded.at(i)
                       ? result<run_id>{run_id::make(noon, 0, i)}
                       : result<run_id>{error{errc::io, "the disk is away"}}});
    BOOST_REQUIRE(note_outcomes(*store, out));
  }
};

void check_error(const result<void>& r, errc code, const std::string& what) {
  BOOST_REQUIRE(!r);
  BOOST_CHECK_EQUAL(to_string(r.error().code), to_string(code));
  BOOST_CHECK_MESSAGE(r.error().detail.find(what) != std::string::npos,
                      r.error().detail);
}

} // namespace schedule_book_test

BOOST_FIXTURE_TEST_SUITE(schedule_book_test, fixture)

BOOST_AUTO_TEST_CASE(what_is_put_comes_back) {
  const std::vector all{hourly().times, cron("0 3 * * *", "Europe/Berlin"),
                        at(noon + 1h)};
  for (const auto& times : all) {
    auto request = hourly();
    request.times = times;
    request.missed = missed_ticks::skip;
    request.grace = 7s;
    put(request);
    BOOST_CHECK(there().request == request);
    BOOST_CHECK(there().state == schedule_state{noon});
  }
}

BOOST_AUTO_TEST_CASE(the_same_again_changes_nothing) {
  put(hourly());
  BOOST_REQUIRE(pause_schedule(*store, "hourly", "ana"));
  const auto before = text();
  put(hourly(), noon + 5h);
  BOOST_CHECK_EQUAL(text(), before);
}

BOOST_AUTO_TEST_CASE(another_prompt_keeps_what_was_settled_and_what_is_due) {
  put(hourly());
  note(due(noon + 1h));
  put(hourly("Go on, and faster."), noon + 3h);
  BOOST_CHECK(there().state.settled == noon + 1h);
  const auto next = due(noon + 3h);
  BOOST_REQUIRE_EQUAL(next.size(), 1u);
  BOOST_CHECK_EQUAL(text_of(next[0].request.input), "Go on, and faster.");
}

BOOST_AUTO_TEST_CASE(other_times_or_another_agent_begin_now) {
  put(hourly());
  auto other = hourly();
  other.times = every(10min, noon);
  put(other, noon + 3h + 5min);
  BOOST_CHECK(due(noon + 3h + 9min).empty());
  BOOST_CHECK_EQUAL(due(noon + 3h + 10min).size(), 1u);
  other.agent = "another";
  put(other, noon + 4h + 5min);
  BOOST_CHECK(there().state.settled == noon + 4h + 5min);
  put(other, noon); // The clock was set back.
  BOOST_CHECK(there().state.settled == noon + 4h + 5min);
}

BOOST_AUTO_TEST_CASE(a_time_that_has_passed_is_refused_when_it_is_new) {
  auto once = hourly();
  once.times = at(noon);
  check_error(put_schedule(*store, once, noon), errc::invalid_argument,
              "\"hourly\": its time has passed");
  put(once, noon - 1h);
  put(once, noon + 1h); // A program that starts again.
  once.input = user_message("Go on, and faster.");
  once.agent = "another";
  put(once, noon + 1h);
  once.times = at(noon + 30min);
  check_error(put_schedule(*store, once, noon + 1h), errc::invalid_argument,
              "expected one after 2027-");
  BOOST_CHECK(there().request.times == at(noon));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_and_named) {
  auto wrong = hourly();
  wrong.name = "";
  check_error(put_schedule(*store, wrong, noon), errc::invalid_argument,
              "has 0 bytes; expected 1 to 128");
  wrong.name = std::string(129, 'x');
  check_error(put_schedule(*store, wrong, noon), errc::invalid_argument,
              "has 129 bytes");
  wrong = hourly();
  wrong.grace = -1s;
  check_error(put_schedule(*store, wrong, noon), errc::invalid_argument,
              "the grace is -1000000 microseconds");
  wrong = hourly();
  wrong.times = cron("61 * * * *");
  check_error(put_schedule(*store, wrong, noon), errc::invalid_argument,
              "schedule \"hourly\": the cron expression \"61 * * * *\"");
  wrong.times = cron("1 * * * *", "Mars/Olympus");
  check_error(put_schedule(*store, wrong, noon), errc::invalid_argument,
              "\"Mars/Olympus\"");
  wrong.times = every(100ms);
  check_error(put_schedule(*store, wrong, noon), errc::invalid_argument,
              "expected 1 s");
  check_error(remove_schedule(*store, "hourly"), errc::not_found,
              "no schedule \"hourly\"");
  check_error(pause_schedule(*store, "hourly", "ana"), errc::not_found,
              "no schedule \"hourly\"");
  check_error(pause_schedule(*store, "hourly", ""), errc::invalid_argument,
              "expected a name");
  check_error(resume_schedule(*store, "hourly", noon), errc::not_found,
              "no schedule \"hourly\"");
  BOOST_CHECK_EQUAL(text(), "");
}

BOOST_AUTO_TEST_CASE(there_is_a_limit_to_schedules) {
  put(hourly());
  const auto one = text();
  const auto begin = one.find("\"hourly\":") + 8;
  const auto content = one.substr(begin, one.size() - 2 - begin);
  std::string all = one.substr(0, one.size() - 2);
  for (std::size_t i = 1; i < schedules_max; ++i)
    all += ",\"" + std::to_string(i) + '"' + content;
  write(all + "}}");
  BOOST_REQUIRE_EQUAL(read_schedules(*store).value().size(), schedules_max);
  auto another = hourly();
  another.name = "another";
  check_error(put_schedule(*store, another, noon), errc::limit_exceeded,
              "1000 schedules already");
  put(hourly("There already."));
}

BOOST_AUTO_TEST_CASE(a_backfill_is_of_the_past_and_has_a_limit) {
  put(hourly());
  const auto fill = [&](timestamp from, timestamp until) {
    return backfill_schedule(*store, "hourly", from, until, noon);
  };
  check_error(fill(noon - 1h, noon + 1us), errc::invalid_argument,
              "is no range of the past; now is 2027-");
  check_error(fill(noon - 1h, noon - 1h), errc::invalid_argument, "no range");
  auto quick = hourly();
  quick.times = every(1s);
  put(quick);
  check_error(fill(noon - 1'001s, noon), errc::limit_exceeded,
              "more than 1000 ticks");
  BOOST_CHECK(fill(noon - 1'000s, noon));
  BOOST_CHECK(fill(noon - 500ms, noon - 1us)); // No tick.
  BOOST_CHECK_EQUAL(there().state.backfills.size(), 1u);
  for (std::size_t i = 1; i < backfills_max; ++i)
    BOOST_CHECK(fill(noon - 10s, noon));
  check_error(fill(noon - 10s, noon), errc::limit_exceeded, "not done");
}

BOOST_AUTO_TEST_CASE(a_start_that_failed_holds_up_those_after_it) {
  auto all = hourly();
  all.missed = missed_ticks::all;
  put(all);
  note(due(noon + 4h), {true, false, true, true});
  BOOST_CHECK(there().state.settled == noon + 1h);
  const auto again = due(noon + 4h);
  BOOST_REQUIRE_EQUAL(again.size(), 3u);
  note(again);
  BOOST_CHECK(there().state.settled == noon + 4h);
  BOOST_CHECK(due(noon + 4h).empty());
}

BOOST_AUTO_TEST_CASE(what_is_due_comes_in_order_and_in_parts) {
  auto all = hourly();
  all.missed = missed_ticks::all;
  put(all);
  all.name = "other";
  all.times = every(90min, noon);
  put(all);
  const auto first = due(noon + 6h, 5);
  BOOST_REQUIRE_EQUAL(first.size(), 5u);
  BOOST_CHECK(first[0].tick == noon + 1h);
  BOOST_CHECK(first[1].tick == noon + 90min);
  BOOST_CHECK_EQUAL(first[1].request.name, "other");
  note(first);
  BOOST_CHECK_EQUAL(due(noon + 6h).size(), 5u);
}

BOOST_AUTO_TEST_CASE(schedules_of_agents_that_nobody_knows_are_left_alone) {
  auto other = hourly();
  other.agent = "another";
  other.missed = missed_ticks::skip;
  put(other);
  const auto before = text();
  BOOST_CHECK(due(noon + 5h).empty());
  BOOST_CHECK_EQUAL(text(), before);
}

BOOST_AUTO_TEST_CASE(what_is_noted_of_a_schedule_that_is_gone_is_nothing) {
  put(hourly());
  const auto starts = due(noon + 1h);
  BOOST_REQUIRE(remove_schedule(*store, "hourly"));
  note(starts);
  BOOST_CHECK(read_schedules(*store).value().empty());
}

BOOST_AUTO_TEST_CASE(runs_get_what_the_schedule_says) {
  const auto header = header_of(hourly());
  BOOST_CHECK_EQUAL(header.tenant.value(), "gold");
  BOOST_CHECK_EQUAL(header.labels.at("team"), "night");
  BOOST_CHECK(header.lane == call_lane::interactive);
  BOOST_CHECK_EQUAL(header.priority.value(), -3);
}

BOOST_AUTO_TEST_CASE(what_is_no_book_is_an_error_and_stays_as_it_is) {
  put(hourly());
  const auto good = text();
  const auto with = [&](const std::string& what, const std::string& instead) {
    auto out = good;
    return out.replace(out.find(what), what.size(), instead);
  };
  const std::vector<std::tuple<std::string, errc, std::string>> table{
    {"{", errc::corrupt, "the schedules in the store"},
    {"[]", errc::corrupt, "an object"},
    {"{\"version\":1}", errc::corrupt, "schedules"},
    {with("\"settled\"", "\"sett\""), errc::corrupt, "settled"},
    {with("\"every\"", "\"never\""), errc::corrupt, "never"},
    {with("\"version\":2", "\"version\":3"), errc::unsupported,
     "version 3; this program knows version 2"}};
  for (const auto& [bad, code, what] : table) {
    write(bad);
    check_error(put_schedule(*store, hourly("Another."), noon), code, what);
    check_error(remove_schedule(*store, "hourly"), code, what);
    BOOST_CHECK(read_schedules(*store).error().code == code);
    BOOST_CHECK_EQUAL(text(), bad);
  }
}

// -- overlaps -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
  where_runs_may_not_overlap_each_tick_waits_for_the_one_before) {
  auto request = hourly();
  request.overlap = overlap_policy::skip;
  request.missed = missed_ticks::all;
  put(request);
  const auto first = due(noon + 3h);
  BOOST_REQUIRE_EQUAL(first.size(), 1u);
  BOOST_CHECK(first[0].tick == noon + 1h);
  BOOST_CHECK(!first[0].waits_for);
  note(first);
  const auto second = due(noon + 3h);
  BOOST_REQUIRE_EQUAL(second.size(), 1u);
  BOOST_CHECK(second[0].tick == noon + 2h);
  BOOST_CHECK(second[0].waits_for == run_id::make(noon, 0, 0));
  // One that is asked for does not ask.
  BOOST_REQUIRE(
    backfill_schedule(*store, "hourly", noon - 5h, noon - 3h, noon + 3h));
  std::size_t backfilled = 0;
  for (const auto& each : due(noon + 3h))
    if (each.is_backfill) {
      ++backfilled;
      BOOST_CHECK(!each.waits_for);
    }
  BOOST_CHECK_EQUAL(backfilled, 2u);
}

BOOST_AUTO_TEST_CASE(a_book_from_before_overlaps_allows_them) {
  put(hourly());
  auto old = text();
  const std::string added = R"(,"overlap":"allow")";
  BOOST_REQUIRE(old.find(added) != std::string::npos);
  old.erase(old.find(added), added.size());
  const std::string version = R"("version":2)";
  old.replace(old.find(version), version.size(), R"("version":1)");
  write(old);
  BOOST_CHECK(there().request == hourly());
  note(due(noon + 1h));
  BOOST_CHECK(text().find(version) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
