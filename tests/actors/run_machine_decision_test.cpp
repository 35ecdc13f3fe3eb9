#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/gate.hpp>

using namespace kestrion;
using test::machine_story;

namespace run_machine_decision_test {

const std::string of_one = approval_digest("apply", R"({"n":1})");
const std::string of_two = approval_digest("apply", R"({"n":2})");

} // namespace run_machine_decision_test

/// Which decisions count, and what the others are told.
BOOST_FIXTURE_TEST_SUITE(run_machine_decision_test, machine_story)

// -- once ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_same_approval_twice_is_one) {
  asks_for({"apply"});
  const approval yes{"c1.0", "", "ana", "", of_one, {}};
  approved(yes);
  approved(yes);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
  tool_returns("c1.0", "ok");
  approved(yes);
  CHECK_LINES(events());
  model_says("done");
  approved(yes);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_CASE(the_same_part_of_a_chain_twice_is_one) {
  asks_for({"drop"});
  const approval yes{"c1.0", "", "ana", "sre", "", {}};
  approved(yes);
  approved(yes);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
  CHECK_LINES(missing_roles(call("c1.0")), "lead");
  approved({"c1.0", "", "bob", "lead", "", {}});
  approved(yes);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_CASE(the_same_edit_twice_is_one_though_it_changed_the_digest) {
  asks_for({"drop"});
  const approval edit{"c1.0", "", "ana", "sre", digest("c1.0"), R"({"n":2})"};
  approved(edit);
  approved(edit);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
  approved({"c1.0", "", "bob", "lead", "", {}});
  approved(edit);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_CASE(another_edit_of_a_decided_call_is_no_repetition) {
  asks_for({"apply"});
  approved({"c1.0", "", "ana", "", "", R"({"n":2})"});
  approved({"c1.0", "", "ana", "", "", R"({"n":3})"});
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: call c1.0 of apply was approved by ana");
}

BOOST_AUTO_TEST_CASE(the_same_denial_twice_is_one) {
  asks_for({"apply"});
  const denial no{"", "apply", "ana", "", of_one, "no"};
  denied(no);
  denied(no);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_CASE(a_repetition_is_known_among_later_decisions) {
  asks_for({"apply"});
  const approval first{"", "apply", "ana", "", of_one, {}};
  approved(first);
  tool_returns("c1.0", "ok");
  model_calls({{"look", "{}"}, {"apply", R"({"n":2})"}});
  approved(first);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
  denied({"c2.1", "", "bob", "", "", "no"});
  approved(first);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_CASE(a_decision_that_names_no_call_may_mean_a_later_one) {
  asks_for({"apply"});
  approved({"", "apply", "ana", "", "", {}});
  tool_returns("c1.0", "ok");
  asks_for({"apply"});
  approved({"c1.0", "apply", "ana", "", "", {}});
  CHECK_LINES(events()); // It says which: a repetition.
  approved({"", "apply", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_granted c2.0 ana", "tool_call_started c2.0");
}

BOOST_AUTO_TEST_CASE(names_that_are_no_text_repeat_too) {
  asks_for({"apply"});
  approved({"c1.0", "", "an\xff", "", "", {}});
  approved({"c1.0", "", "an\xff", "", "", {}});
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

// -- which call ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_ambiguous_decision_is_refused) {
  asks_for({"apply", "apply", "scale"});
  approved({"", "apply", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(), "refused: several calls wait (c1.0, c1.1); name "
                               "one by its \"call\"");
  denied({"", "", "ana", "engineer", "", ""});
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: several calls wait (c1.0, c1.1, c1.2); name one "
                    "by its \"call\"");
  approved({"", "scale", "ana", "engineer", "", {}});
  CHECK_LINES(events(), "approval_granted c1.2 ana engineer");
}

BOOST_AUTO_TEST_CASE(a_digest_tells_calls_of_one_tool_apart) {
  starts();
  model_calls({{"apply", R"({"n":1})"}, {"apply", R"({"n":2})"}});
  approved({"", "apply", "ana", "", of_two, {}});
  CHECK_LINES(events(), "approval_granted c1.1 ana");
}

BOOST_AUTO_TEST_CASE(equal_calls_of_one_tool_stay_ambiguous) {
  asks_for({"apply", "apply"});
  approved({"", "", "ana", "", of_one, {}});
  BOOST_CHECK_EQUAL(refusal(), "refused: several calls wait (c1.0, c1.1); name "
                               "one by its \"call\"");
}

BOOST_AUTO_TEST_CASE(a_decision_for_a_call_that_does_not_wait_is_refused) {
  asks_for({"look", "apply"});
  approved({"c1.0", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no approval is waiting for call c1.0");
  approved({"c7.7", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no approval is waiting for call c7.7");
  approved({"", "fly", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no approval is waiting for a call of fly");
  denied({"c1.1", "scale", "ana", "", "", ""});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no approval is waiting for call c1.1 of scale");
}

BOOST_AUTO_TEST_CASE(a_decision_where_nothing_ever_waited_is_refused) {
  starts();
  approved({"", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no approval is waiting for any call");
}

// -- for what -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_decision_for_another_digest_is_refused) {
  asks_for({"apply"});
  const auto sentence = "refused: the decision is for the digest " + of_two
                        + ", but call c1.0 of apply has " + of_one;
  approved({"c1.0", "", "ana", "", of_two, {}});
  BOOST_CHECK_EQUAL(refusal(), sentence);
  denied({"c1.0", "", "ana", "", of_two, ""});
  BOOST_CHECK_EQUAL(refusal(), sentence);
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(what_was_seen_before_an_edit_is_another_digest) {
  asks_for({"drop"});
  const auto seen = digest("c1.0");
  approved({"c1.0", "", "ana", "sre", "", {}});
  approved({"c1.0", "", "bob", "lead", "", R"({"n":9})"});
  approved({"c1.0", "", "ana", "sre", seen, {}});
  BOOST_CHECK_EQUAL(refusal(), "refused: the decision is for the digest " + seen
                                 + ", but call c1.0 of drop has "
                                 + digest("c1.0"));
}

// -- by whom ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_decision_without_a_name_is_refused) {
  asks_for({"apply"});
  approved({"c1.0", "", "", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "invalid_argument: a decision about call c1.0 has to say "
                    "who decides: \"by\" is empty");
  denied({"", "apply", "", "", "", ""});
  BOOST_CHECK_EQUAL(refusal(),
                    "invalid_argument: a decision about a call of apply has to "
                    "say who decides: \"by\" is empty");
}

BOOST_AUTO_TEST_CASE(a_role_that_the_gate_does_not_name_is_forbidden) {
  asks_for({"drop"});
  approved({"", "", "ana", "intern", "", {}});
  BOOST_CHECK_EQUAL(refusal(), "forbidden: call c1.0 of drop needs the role "
                               "sre, lead; ana has \"intern\"");
  approved({"", "", "ana", "intern", "", R"({"n":2})"});
  BOOST_CHECK(last.error().code == errc::forbidden);
  denied({"", "", "ana", "", "", ""});
  BOOST_CHECK_EQUAL(refusal(), "forbidden: call c1.0 of drop needs the role "
                               "sre, lead; ana has none");
}

BOOST_AUTO_TEST_CASE(a_role_decides_once) {
  asks_for({"drop"});
  approved({"", "", "ana", "sre", "", {}});
  approved({"", "", "eve", "sre", "", {}});
  BOOST_CHECK_EQUAL(refusal(), "refused: call c1.0 of drop was already "
                               "approved by ana in the role \"sre\"");
}

// -- too late -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_was_decided_stays_decided) {
  asks_for({"apply"});
  approved({"c1.0", "", "ana", "", "", {}});
  denied({"c1.0", "", "bob", "", "", ""});
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: call c1.0 of apply was approved by ana");
  approved({"c1.0", "", "bob", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: call c1.0 of apply was approved by ana");
  tool_returns("c1.0", "ok");
  asks_for({"apply"});
  denied({"c2.0", "", "ana", "", "", ""});
  approved({"c2.0", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(), "refused: call c2.0 of apply was denied by ana");
}

BOOST_AUTO_TEST_CASE(a_finished_run_takes_no_decision_and_says_how_it_ended) {
  asks_for({"apply"});
  is_cancelled();
  approved({"c1.0", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is cancelled; nothing can be "
                               "decided any more");
  denied({"", "", "ana", "", "", ""});
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is cancelled; nothing can be "
                               "decided any more");
  machine_story other;
  other.starts();
  other.model_says("done");
  other.approved({"c1.0", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(other.refusal(), "refused: the run is completed; nothing "
                                     "can be decided any more");
}

BOOST_AUTO_TEST_SUITE_END()
