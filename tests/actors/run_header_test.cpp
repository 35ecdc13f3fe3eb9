#include <kestrion/actors/run_header.hpp>

#include <boost/test/unit_test.hpp>

namespace kestrion::test {

namespace run_header_test {

run_started started(const std::string& agent, const std::string& digest) {
  run_started out;
  out.agent = agent;
  out.definition = digest;
  return out;
}

} // namespace run_header_test

BOOST_AUTO_TEST_SUITE(run_header_test)

BOOST_AUTO_TEST_CASE(headers_are_compared_by_what_they_say) {
  BOOST_CHECK(run_header{} == run_header{});
  BOOST_CHECK(run_header{started("ops", "1")} == started("ops", "1"));
  BOOST_CHECK(!(run_header{started("ops", "1")} == started("ops", "2")));
}

BOOST_AUTO_TEST_CASE(runs_that_were_started_alike_hold_one_header) {
  header_pool pool;
  const auto first = pool.share(started("ops", "1"));
  const auto other = pool.share(started("scout", "1"));
  const auto second = pool.share(started("ops", "1"));
  BOOST_CHECK_EQUAL(&*first, &*second);
  BOOST_CHECK(other->agent == "scout");
}

BOOST_AUTO_TEST_CASE(one_that_says_something_else_keeps_what_it_says) {
  header_pool pool;
  const auto old = pool.share(started("ops", "1"));
  auto with_key = started("ops", "1");
  with_key.key = "case 7";
  const auto keyed = pool.share(with_key);
  const auto renewed = pool.share(started("ops", "2"));
  BOOST_CHECK(*old == started("ops", "1"));
  BOOST_CHECK(*keyed == with_key);
  BOOST_CHECK(*renewed == started("ops", "2"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
