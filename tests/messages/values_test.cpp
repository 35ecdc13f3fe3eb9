#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/messages/run_status.hpp>
#include <kestrion/messages/time.hpp>

#include <boost/test/unit_test.hpp>

#include <set>

using namespace kestrion;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(values_test)

BOOST_AUTO_TEST_CASE(times_are_written_as_rfc_3339_has_them) {
  BOOST_TEST(to_string(timestamp{}) == "1970-01-01T00:00:00.000000Z");
  BOOST_TEST(to_string(timestamp{1'795'403'373'123'456us})
             == "2026-11-23T03:09:33.123456Z");
  BOOST_TEST(to_string(timestamp{-1us}) == "1969-12-31T23:59:59.999999Z");
}

BOOST_AUTO_TEST_CASE(every_error_code_has_its_own_name) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(errc::limit_exceeded); ++code)
    names.insert(to_string(static_cast<errc>(code)));
  BOOST_TEST(names.size()
             == static_cast<std::size_t>(errc::limit_exceeded) + 1);
  BOOST_TEST(!names.contains("unknown"));
}

BOOST_AUTO_TEST_CASE(an_error_is_its_code_and_its_sentence) {
  BOOST_TEST(to_string(error{errc::not_found, "no run x"})
             == "not_found: no run x");
}

BOOST_AUTO_TEST_CASE(asking_a_failed_result_for_its_value_throws_the_failure) {
  const result<int> none = error{errc::io, "disk full"};
  try {
    static_cast<void>(none.value());
    BOOST_FAIL("no failure was thrown");
  } catch (const failure& f) {
    BOOST_TEST((f.code() == errc::io));
    BOOST_TEST(f.error().detail == "disk full");
    BOOST_TEST(std::string{f.what()} == "io: disk full");
  }
}

BOOST_AUTO_TEST_CASE(a_broken_contract_throws_and_a_kept_one_does_not) {
  BOOST_CHECK_NO_THROW(ensure(true, "never said"));
  BOOST_CHECK_THROW(ensure(false, "said"), contract_violation);
}

BOOST_AUTO_TEST_CASE(statuses_have_names_and_tell_rest_from_end) {
  BOOST_TEST(to_string(run_status::waiting_on_human) == "waiting_on_human");
  BOOST_TEST(to_string(static_cast<run_status>(99)) == "unknown");
  for (auto s : {run_status::completed, run_status::failed, run_status::expired,
                 run_status::cancelled}) {
    BOOST_TEST(is_terminal(s));
    BOOST_TEST(is_at_rest(s));
  }
  for (auto s : {run_status::waiting_on_human, run_status::waiting_on_child,
                 run_status::parked}) {
    BOOST_TEST(!is_terminal(s));
    BOOST_TEST(is_at_rest(s));
  }
  for (auto s : {run_status::pending, run_status::running})
    BOOST_TEST(!is_at_rest(s));
}

BOOST_AUTO_TEST_CASE(the_text_of_a_message_is_its_text_parts_joined) {
  message m = user_message("a");
  m.parts.emplace_back(opaque_part{"v", "{}"});
  m.parts.emplace_back(text_part{"b"});
  BOOST_TEST(text_of(m) == "ab");
  BOOST_TEST((m.role == role::user));
}

BOOST_AUTO_TEST_CASE(usage_adds_up_and_counts_no_token_twice) {
  token_usage sum{1, 2, 3, 4, 5};
  sum += token_usage{10, 20, 30, 40, 50};
  BOOST_TEST((sum == token_usage{11, 22, 33, 44, 55}));
  BOOST_TEST(sum.total() == 11 + 22 + 33 + 44); // Reasoning is output.
}

BOOST_AUTO_TEST_CASE(match_calls_the_arm_of_the_alternative) {
  const std::variant<int, std::string> v = std::string{"x"};
  BOOST_TEST(match(
               v, [](int) { return 1; }, [](const std::string&) { return 2; })
             == 2);
}

BOOST_AUTO_TEST_SUITE_END()
