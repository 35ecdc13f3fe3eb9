#include <boost/test/unit_test.hpp>

#include <kestrion/messages/redactor.hpp>

using namespace kestrion;

namespace redactor_test {

std::shared_ptr<const redactor> made(const redaction_rules& rules) {
  return redactor::make(rules).value();
}

std::string why_not(const redaction_rules& rules) {
  return redactor::make(rules).error().detail;
}

} // namespace redactor_test

BOOST_AUTO_TEST_SUITE(redactor_test)

BOOST_AUTO_TEST_CASE(a_secret_goes_and_comes_back) {
  const auto r = made({{{"db", "p\"ss\\word"}}, {}});
  BOOST_TEST(r->without_secrets("use p\"ss\\word, p\"ss\\word")
             == "use [secret:db], [secret:db]");
  BOOST_TEST(r->without_secrets(R"({"key":"p\"ss\\word"})")
             == R"({"key":"[secret:db]"})");
  BOOST_TEST(r->reveal(R"({"key":"[secret:db]"})")
             == R"({"key":"p\"ss\\word"})");
  BOOST_TEST(r->reveal(R"({"key":"[secret:other]"})")
             == R"({"key":"[secret:other]"})");
  BOOST_TEST(r->find_secret("x p\"ss\\word").value() == "db");
  BOOST_TEST(!r->find_secret("x").has_value());
}

BOOST_AUTO_TEST_CASE(the_longer_of_two_secrets_is_taken_whole) {
  const auto r = made({{{"a", "12345678"}, {"b", "123456789"}}, {}});
  BOOST_TEST(r->without_secrets("123456789 12345678")
             == "[secret:b] [secret:a]");
}

BOOST_AUTO_TEST_CASE(patterns_are_for_what_is_written_and_not_for_ids) {
  const auto r = made({{{"db", "verysecret"}}, {{"card", R"(\d{4,16})"}}});
  event e = approval_granted{"c1234.0", "verysecret", "r", "0123456789",
                             R"({"n":4111111111111111})"};
  r->apply(e);
  const approval_granted expected{"c1234.0", "[secret:db]", "r", "0123456789",
                                  R"({"n":[card]})"};
  BOOST_TEST((std::get<approval_granted>(e) == expected));
  event said = message_received{user_message("pay 4111 by verysecret"), {}};
  r->apply(said);
  BOOST_TEST(text_of(std::get<message_received>(said).message)
             == "pay [card] by [secret:db]");
}

BOOST_AUTO_TEST_CASE(what_is_too_much_work_to_look_through_is_left_out) {
  const auto r = made({{}, {{"slow", "(a+)+$"}}});
  event e = message_received{user_message(std::string(4'000, 'a') + "b"), {}};
  r->apply(e);
  BOOST_TEST(text_of(std::get<message_received>(e).message) == "[slow]");
}

BOOST_AUTO_TEST_CASE(rules_that_make_no_sense_are_refused) {
  BOOST_TEST(
    why_not({{{"db", "short"}}, {}})
    == "redaction: the secret \"db\" has 5 bytes; expected at least 8, "
       "or innocent text would hold it");
  BOOST_TEST(
    why_not({{{"d b", "long enough"}}, {}})
    == "redaction: \"d b\" is no name of a secret; expected 1 to 64 of "
       "A-Z a-z 0-9 _ -");
  BOOST_TEST(why_not({{{"secret", "[secret:"}}, {}})
             == "redaction: the value of the secret \"secret\" is part of "
                "\"[secret:secret]\", which stands for one");
  BOOST_TEST(why_not({{}, {{"card", "("}}}).substr(0, 63)
             == "redaction: the pattern \"card\" is \"(\", which is no regular "
                "expre");
  BOOST_TEST(
    why_not({{}, {{"all", "x*"}}})
    == "redaction: the pattern \"all\" is \"x*\", which matches nothing "
       "at all, everywhere");
}

BOOST_AUTO_TEST_SUITE_END()
