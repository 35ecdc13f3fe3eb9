#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/gate.hpp>

#include <algorithm>

using namespace kestrion;
using test::machine_story;
using test::said;

namespace run_machine_approval_test {

struct approvals : machine_story {
  void yes(const std::string& by, const std::string& role = {},
           std::optional<std::string> edited = {}) {
    approved({"", "", by, role, "", std::move(edited)});
  }
  void no(const std::string& by, const std::string& role = {},
          const std::string& reason = {}) {
    denied({"", "", by, role, "", reason});
  }
};

} // namespace run_machine_approval_test

BOOST_FIXTURE_TEST_SUITE(run_machine_approval_test, approvals)

// -- the request --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_gated_call_waits_for_people) {
  asks_for({"apply"});
  CHECK_LINES(events(), "model_call_completed m1", "approval_requested c1.0");
  const auto request = decided<approval_requested>();
  BOOST_CHECK_EQUAL(request.tool, "apply");
  BOOST_CHECK(request.roles.empty());
  BOOST_CHECK(!request.deadline);
  BOOST_CHECK_EQUAL(request.digest, approval_digest("apply", R"({"n":1})"));
  BOOST_CHECK(status() == run_status::waiting_on_human);
  CHECK_LINES(owes(), "wake_up 2026-02-01T00:00:00.000000Z");
}

BOOST_AUTO_TEST_CASE(a_digest_is_of_the_tool_and_the_meaning_of_its_arguments) {
  const auto digest = approval_digest("apply", R"({"a":1,"b":[2]})");
  BOOST_CHECK_EQUAL(digest.size(), 64u);
  BOOST_CHECK_EQUAL(approval_digest("apply", R"( {"b": [2.0],  "a": 1})"),
                    digest);
  BOOST_CHECK_NE(approval_digest("apply", R"({"a":1,"b":[3]})"), digest);
  BOOST_CHECK_NE(approval_digest("scale", R"({"a":1,"b":[2]})"), digest);
}

BOOST_AUTO_TEST_CASE(none_of_a_batch_runs_until_all_may) {
  starts();
  model_calls({{"look", "{}"}, {"apply", R"({"n":1})"}, {"scale", "{}"}});
  CHECK_LINES(events(), "model_call_completed m1", "approval_requested c1.1",
              "approval_requested c1.2");
  approved({"c1.1", "", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_granted c1.1 ana");
  BOOST_CHECK(status() == run_status::waiting_on_human);
  CHECK_LINES(owes(), "wake_up 2026-02-01T00:00:00.000000Z");
  approved({"c1.2", "", "bob", "engineer", "", {}});
  CHECK_LINES(events(), "approval_granted c1.2 bob engineer",
              "tool_call_started c1.0", "tool_call_started c1.1",
              "tool_call_started c1.2");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(bad_calls_of_a_gated_batch_ask_nobody) {
  starts();
  model_calls({{"apply", "{}"}, {"apply", R"({"n":1})"}});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 invalid_arguments",
              "approval_requested c1.1");
}

// -- yes ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(anyone_may_open_a_gate_for_anyone) {
  asks_for({"apply"});
  approved({"c1.0", "apply", "ana", "", digest("c1.0"), {}});
  CHECK_LINES(events(), "approval_granted c1.0 ana", "tool_call_started c1.0");
  BOOST_CHECK_EQUAL(decided<approval_granted>().digest,
                    approval_digest("apply", R"({"n":1})"));
  BOOST_CHECK_EQUAL(owes().at(0), R"(run_tool c1.0 apply {"n":1} 1)");
}

BOOST_AUTO_TEST_CASE(a_role_is_noted_even_where_none_is_needed) {
  asks_for({"apply"});
  yes("ana", "intern");
  CHECK_LINES(events(), "approval_granted c1.0 ana intern",
              "tool_call_started c1.0");
}

BOOST_AUTO_TEST_CASE(one_role_opens_the_gate_for_that_role) {
  asks_for({"scale"});
  yes("ana", "engineer");
  CHECK_LINES(events(), "approval_granted c1.0 ana engineer",
              "tool_call_started c1.0");
}

BOOST_AUTO_TEST_CASE(a_chain_needs_every_role_in_any_order) {
  std::vector<std::string> roles{"lead", "sre"};
  do {
    approvals story;
    story.asks_for({"drop"});
    story.yes("ana", roles[0]);
    CHECK_LINES(story.events(), "approval_granted c1.0 ana " + roles[0]);
    CHECK_LINES(missing_roles(story.call("c1.0")), roles[1]);
    story.yes("bob", roles[1]);
    CHECK_LINES(story.events(), "approval_granted c1.0 bob " + roles[1],
                "tool_call_started c1.0");
  } while (std::next_permutation(roles.begin(), roles.end()));
}

BOOST_AUTO_TEST_CASE(an_approval_covers_no_later_call) {
  asks_for({"apply"});
  yes("ana");
  tool_returns("c1.0", "applied");
  model_calls({{"apply", R"({"n":1})"}});
  CHECK_LINES(events(), "model_call_completed m2", "approval_requested c2.0");
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

// -- no -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_model_sees_a_denial_and_goes_on) {
  asks_for({"scale"});
  no("ana", "engineer", "not on a Friday");
  CHECK_LINES(events(), "approval_denied c1.0 ana engineer");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0!Denied by ana (engineer): not on a Friday");
  CHECK_LINES(owes(), "call_model m2 1", "wake_up 2026-02-01T00:00:00.000000Z");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(a_denial_needs_no_reason) {
  asks_for({"apply"});
  no("ana");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0!Denied by ana.");
}

BOOST_AUTO_TEST_CASE(one_no_ends_a_chain_even_after_a_yes) {
  asks_for({"drop"});
  yes("ana", "sre");
  no("bob", "lead", "no");
  CHECK_LINES(events(), "approval_denied c1.0 bob lead");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(a_denial_of_the_last_gate_starts_the_rest_of_the_batch) {
  starts();
  model_calls({{"look", "{}"}, {"apply", R"({"n":1})"}});
  no("ana");
  CHECK_LINES(events(), "approval_denied c1.1 ana", "tool_call_started c1.0");
  tool_returns("c1.0", "3");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=3 c1.1!Denied by ana.");
}

// -- yes, but -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(edited_arguments_are_what_runs) {
  asks_for({"apply"});
  yes("ana", "", R"({"n":2})");
  CHECK_LINES(events(), R"(approval_granted c1.0 ana {"n":2})",
              "tool_call_started c1.0");
  BOOST_CHECK_EQUAL(decided<approval_granted>().digest,
                    approval_digest("apply", R"({"n":2})"));
  BOOST_CHECK_EQUAL(owes().at(0), R"(run_tool c1.0 apply {"n":2} 1)");
}

BOOST_AUTO_TEST_CASE(edited_arguments_have_to_fit) {
  asks_for({"apply"});
  yes("ana", "", "{}");
  BOOST_CHECK(refusal().starts_with(
    "invalid_argument: edited arguments: the arguments of apply do not fit its "
    "schema: "));
  yes("ana", "", "{");
  BOOST_CHECK(refusal().starts_with(
    "invalid_argument: edited arguments: the arguments of apply"));
  yes("ana", "", "7");
  BOOST_CHECK_EQUAL(refusal(), "invalid_argument: edited arguments: the "
                               "arguments of apply are no JSON object: 7");
  BOOST_CHECK(status() == run_status::waiting_on_human);
  BOOST_CHECK_EQUAL(call("c1.0").arguments, R"({"n":1})");
}

BOOST_AUTO_TEST_CASE(an_edit_voids_what_others_agreed_to) {
  asks_for({"drop"});
  yes("ana", "sre");
  yes("bob", "lead", R"({"n":2})");
  CHECK_LINES(events(), R"(approval_granted c1.0 bob lead {"n":2})");
  CHECK_LINES(missing_roles(call("c1.0")), "sre");
  yes("ana", "sre");
  CHECK_LINES(events(), "approval_granted c1.0 ana sre",
              "tool_call_started c1.0");
  BOOST_CHECK_EQUAL(owes().at(0), R"(run_tool c1.0 drop {"n":2} 1)");
}

BOOST_AUTO_TEST_CASE(who_agreed_may_still_edit_and_the_others_decide_anew) {
  asks_for({"drop"});
  yes("ana", "sre");
  yes("ana", "sre", R"({"n":2})");
  CHECK_LINES(events(), R"(approval_granted c1.0 ana sre {"n":2})");
  CHECK_LINES(missing_roles(call("c1.0")), "lead");
  yes("eve", "sre", R"({"n":3})");
  CHECK_LINES(events(), R"(approval_granted c1.0 eve sre {"n":3})");
  yes("bob", "lead");
  BOOST_CHECK_EQUAL(owes().at(0), R"(run_tool c1.0 drop {"n":3} 1)");
}

BOOST_AUTO_TEST_CASE(an_edit_that_changes_nothing_voids_nothing) {
  asks_for({"drop"});
  yes("ana", "sre");
  yes("bob", "lead", R"({ "n": 1 })");
  CHECK_LINES(events(), R"(approval_granted c1.0 bob lead { "n": 1 })",
              "tool_call_started c1.0");
}

BOOST_AUTO_TEST_SUITE_END()
