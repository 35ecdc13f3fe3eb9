/// Schedules as a program sees them: the runtime with its own threads and the
/// system's clock.

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <future>

namespace kestrion::test {

namespace runtime_schedules_test {

using namespace std::chrono_literals;

agent clerk() {
  agent a{"clerk"};
  a.model(function_model([](const model_request& r) {
    return says("done: " + text_of(*r.conversation.back()));
  }));
  return a;
}

/// Far from any tick.
schedule_request yearly() {
  return {.name = "yearly",
          .agent = "clerk",
          .input = user_message("Clear up."),
          .times = every(std::chrono::days{366}, system_now() + 24h),
          .tenant = "gold"};
}

template <class F>
error error_of(F f) {
  try {
    f();
  } catch (const failure& e) {
    return e.error();
  }
  BOOST_FAIL("nothing was thrown");
  return {};
}

struct fixture {
  temp_folder folder;
  runtime rt{{.store = "sqlite:///" + (folder.path() / "runs.db").string()},
             {clerk()}};

  schedule_status only() {
    const auto all = rt.schedules();
    BOOST_REQUIRE_EQUAL(all.size(), 1u);
    return all.front();
  }
};

} // namespace runtime_schedules_test

BOOST_FIXTURE_TEST_SUITE(runtime_schedules_test, fixture)

BOOST_AUTO_TEST_CASE(a_tick_starts_a_run_that_the_status_names) {
  std::promise<run_id> completed;
  const auto watched = rt.watch({}, [&](const run_event& e) {
    if (std::holds_alternative<run_completed>(e.event.event))
      completed.set_value(e.run);
  });
  auto soon = yearly();
  soon.name = "once";
  soon.times = at(system_now() + 50ms);
  rt.schedule(soon);
  const auto id = completed.get_future().get();
  const auto row = rt.list().at(0);
  BOOST_CHECK_EQUAL(row.key.value(),
                    "schedule/once/"
                      + to_string(std::get<at_time>(soon.times).time));
  BOOST_CHECK_EQUAL(row.tenant.value(), "gold");
  BOOST_CHECK(row.created_at >= std::get<at_time>(soon.times).time);
  BOOST_CHECK_EQUAL(rt.result(id).output, "done: Clear up.");
  rt.schedule(soon); // Again, as a program does that starts anew.
  BOOST_CHECK(!only().next_tick);
}

BOOST_AUTO_TEST_CASE(the_status_says_what_will_be) {
  rt.schedule(yearly());
  const auto status = only();
  BOOST_CHECK_EQUAL(status.request.name, "yearly");
  BOOST_CHECK(status.next_tick > system_now());
  BOOST_CHECK(!status.last_tick);
  BOOST_CHECK(!status.last_run);
  rt.pause_schedule("yearly", "ana");
  rt.pause_schedule("yearly", "ben");
  BOOST_CHECK_EQUAL(only().paused_by.value(), "ana");
  BOOST_CHECK(!only().next_tick);
  rt.resume_schedule("yearly");
  BOOST_CHECK(!only().paused_by);
  BOOST_CHECK(only().next_tick == status.next_tick);
  rt.unschedule("yearly");
  BOOST_CHECK(rt.schedules().empty());
}

BOOST_AUTO_TEST_CASE(a_run_may_be_started_beside_the_ticks_also_while_paused) {
  rt.schedule(yearly());
  rt.pause_schedule("yearly", "ana");
  const auto first = rt.trigger_schedule("yearly");
  const auto second = rt.trigger_schedule("yearly");
  BOOST_CHECK_EQUAL(first.wait().output, "done: Clear up.");
  BOOST_CHECK(second.wait().status == run_status::completed);
  BOOST_CHECK(first.id() != second.id());
  BOOST_CHECK(!only().last_tick);
}

BOOST_AUTO_TEST_CASE(a_backfill_starts_what_is_past_at_once) {
  std::atomic<int> ends = 0;
  std::promise<void> all;
  const auto watched = rt.watch({}, [&](const run_event& e) {
    if (std::holds_alternative<run_completed>(e.event.event) && ++ends == 100)
      all.set_value();
  });
  auto hourly = yearly();
  hourly.times = every(1h);
  rt.schedule(hourly);
  rt.pause_schedule("yearly", "ana");
  const auto hour = std::chrono::floor<std::chrono::hours>(system_now());
  rt.backfill_schedule("yearly", hour - 100h, hour);
  all.get_future().wait();
  BOOST_CHECK_EQUAL(rt.list().size(), 100u);
}

BOOST_AUTO_TEST_CASE(what_can_not_work_is_refused_at_once) {
  const auto refused = [&](auto change) {
    auto request = yearly();
    change(request);
    return error_of([&] { rt.schedule(request); });
  };
  auto e = refused([](auto& r) { r.agent = "nobody"; });
  BOOST_CHECK(e.code == errc::not_found);
  BOOST_CHECK(e.detail.find("\"nobody\"") != std::string::npos);
  e = refused([](auto& r) { r.input = user_message(" "); });
  BOOST_CHECK(e.code == errc::invalid_argument);
  BOOST_CHECK(e.detail.find("is empty") != std::string::npos);
  e = refused([](auto& r) { r.priority = 101; });
  BOOST_CHECK(e.detail.find("101") != std::string::npos);
  e = refused([](auto& r) { r.times = cron("0 3 * *"); });
  BOOST_CHECK(e.detail.find("\"0 3 * *\"") != std::string::npos);
  e = refused([](auto& r) { r.times = cron("0 3 * * *", "Berlin"); });
  BOOST_CHECK(e.detail.find("no time zone \"Berlin\"") != std::string::npos);
  e = refused([](auto& r) { r.times = every(0s); });
  BOOST_CHECK(e.code == errc::invalid_argument);
  for (const auto& f : std::vector<std::function<void()>>{
         [&] { rt.unschedule("x"); }, [&] { rt.pause_schedule("x", "ana"); },
         [&] { rt.resume_schedule("x"); }, [&] { rt.trigger_schedule("x"); },
         [&] {
           rt.backfill_schedule("x", timestamp{}, timestamp{1h});
         }}) {
    e = error_of(f);
    BOOST_CHECK(e.code == errc::not_found);
    BOOST_CHECK_EQUAL(e.detail, "there is no schedule \"x\" in this store");
  }
  BOOST_CHECK(rt.schedules().empty());
}

BOOST_AUTO_TEST_CASE(who_does_not_recover_starts_nothing_by_the_clock) {
  rt.schedule(yearly());
  rt.pause_schedule("yearly", "ana"); // Else this one starts it, too.
  runtime other{{.store = "sqlite:///" + (folder.path() / "x.db").string(),
                 .recover = false},
                {clerk()}};
  auto hourly = yearly();
  hourly.times = every(1h);
  other.schedule(hourly);
  const auto hour = std::chrono::floor<std::chrono::hours>(system_now());
  other.backfill_schedule("yearly", hour - 3h, hour);
  BOOST_CHECK(other.trigger_schedule("yearly").wait().status
              == run_status::completed);
  BOOST_CHECK_EQUAL(other.list().size(), 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
