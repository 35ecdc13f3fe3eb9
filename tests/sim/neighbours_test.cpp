/// Two processes over one SQLite file: commands find the run in whichever of
/// them it lives. Virtual time; the file and its locks are real.

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/ask.hpp>
#include <kestrion/tests/support/patient_model.hpp>
#include <kestrion/tests/support/sim.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>

namespace kestrion::test {

namespace neighbours_test {

using namespace std::chrono_literals;

constexpr auto noon = timestamp{std::chrono::hours{500'004}};

/// One process with its own connection to the file.
struct process {
  std::shared_ptr<event_store> store;
  std::shared_ptr<patient_model> model = std::make_shared<patient_model>();
  sim world;

  explicit process(const std::string& url)
    : store(open_store(url).value()),
      world(store, {subject()}, 1, noon, {.store_is_shared = true}) {}

  agent subject() {
    agent a{"subject"};
    a.model(model).tool(
      "gated", "A gated tool.", [] { return "ran"; },
      requires_approval{"engineer"}.within(1h));
    return a;
  }

  run_id start() {
    return ask<run_receipt>(
             world, start_request{"subject", user_message("Go on."), {}})
      .value()
      .run;
  }
};

struct fixture {
  temp_folder folder;
  std::string url = "sqlite:///" + (folder / "runs.db");
  std::optional<process> first{url};
  std::optional<process> second{url};
  run_id run = first->start();

  using command_question = question<run_receipt, run_command>;

  command_question ask_second(command c) {
    return {second->world, run_command{run, std::move(c)}};
  }

  /// Long enough for a look at the store in both.
  void let_both_look() {
    first->world.advance(20ms);
    second->world.advance(20ms);
  }

  run_status status() { return first->store->find(run).value()->status; }
};

} // namespace neighbours_test

BOOST_FIXTURE_TEST_SUITE(neighbours_test, fixture)

BOOST_AUTO_TEST_CASE(a_cancel_reaches_the_process_that_has_the_run) {
  auto cancel = ask_second(cancel_run{"ana", "enough", {}});
  BOOST_CHECK(!cancel.is_answered());
  BOOST_CHECK(!first->model->calls.at(0).stop.stop_requested());
  let_both_look();
  BOOST_CHECK_EQUAL(cancel.answer().value().seq, 3u);
  BOOST_CHECK(first->model->calls.at(0).stop.stop_requested());
  BOOST_CHECK(status() == run_status::cancelled);
}

BOOST_AUTO_TEST_CASE(a_refusal_comes_back_as_it_is) {
  auto approve = ask_second(approve_call{{.by = "ana"}, {}});
  let_both_look();
  const auto refused = approve.answer();
  BOOST_CHECK(refused.error().code == errc::not_found);
  BOOST_CHECK_EQUAL(refused.error().detail,
                    "no approval is waiting for any call");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(a_run_that_rests_meanwhile_is_decided_about_here) {
  auto cancel = ask_second(cancel_run{"ana", "enough", {}});
  // It waits for a person now, and belongs to nobody.
  first->model->calls.at(0).done(calls({{"gated"}}));
  first->world.settle();
  BOOST_CHECK(status() == run_status::waiting_on_human);
  second->world.advance(1s);
  BOOST_CHECK(cancel.answer().has_value());
  BOOST_CHECK(status() == run_status::cancelled);
}

BOOST_AUTO_TEST_CASE(the_command_for_a_run_whose_process_ended_is_not_lost) {
  auto cancel = ask_second(cancel_run{"ana", "", {}});
  first.reset();
  second->world.advance(1s);
  BOOST_CHECK(cancel.answer().has_value());
  BOOST_CHECK(second->store->find(run).value()->status
              == run_status::cancelled);
}

BOOST_AUTO_TEST_CASE(what_a_process_leaves_is_taken_up_by_another) {
  first.reset();
  BOOST_CHECK(second->model->calls.empty());
  second->world.advance(6s);
  BOOST_REQUIRE_EQUAL(second->model->calls.size(), 1u);
  second->model->calls[0].done(says("done"));
  second->world.settle();
  BOOST_CHECK(second->store->find(run).value()->status
              == run_status::completed);
}

BOOST_AUTO_TEST_CASE(a_run_that_ended_meanwhile_answers_for_itself) {
  auto cancel = ask_second(cancel_run{"ana", "enough", {}});
  first->model->calls.at(0).done(says("done"));
  first->world.settle();
  second->world.advance(20ms);
  const auto refused = cancel.answer();
  BOOST_CHECK(refused.error().code == errc::refused);
  BOOST_CHECK_NE(refused.error().detail.find("the run is completed"),
                 std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_message_that_is_no_command_is_answered_and_harmless) {
  std::vector<std::uint64_t> ids;
  for (const auto* text :
       {"", "{", "[]", R"({"type":"dance"})", R"({"type":"cancel"})",
        R"({"type":"cancel","by":1,"reason":""})"})
    ids.push_back(second->store->post(run, text).value());
  let_both_look();
  for (const auto id : ids) {
    const auto answer = second->store->find_answer(id).value();
    BOOST_REQUIRE(answer.has_value());
    BOOST_CHECK_NE(answer->find("invalid_argument"), std::string::npos);
  }
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(many_commands_at_once_are_each_carried_out_once) {
  first->model->calls.at(0).done(says("done"));
  first->world.settle();
  constexpr int many = 100;
  std::vector<run_id> runs;
  std::vector<std::unique_ptr<command_question>> cancels;
  runs.reserve(many);
  cancels.reserve(many);
  for (int i = 0; i < many; ++i)
    runs.push_back(first->start());
  for (const auto& id : runs)
    cancels.push_back(std::make_unique<command_question>(
      second->world, run_command{id, cancel_run{"ana", "", {}}}));
  let_both_look();
  for (auto& each : cancels)
    BOOST_CHECK(each->answer().has_value());
  for (const auto& id : runs)
    BOOST_CHECK_EQUAL(load_events(*first->store, id).value().size(), 3u);
  BOOST_CHECK(first->store->inbox().value().empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
