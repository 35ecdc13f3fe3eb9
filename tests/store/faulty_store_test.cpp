#include <boost/test/unit_test.hpp>

#include <kestrion/store/faulty_store.hpp>
#include <kestrion/store/memory_store.hpp>

using namespace kestrion;

namespace faulty_store_test {

struct fixture {
  std::shared_ptr<event_store> disk = make_memory_store();
  faulty_store store{disk};
  run_id run = run_id::make(timestamp{}, 0, 1);

  /// Appends one event after `seq` others.
  result<std::uint64_t> append(std::uint64_t seq) {
    append_request request;
    request.run = run;
    request.expected_seq = seq;
    request.events = {{timestamp{}, "t", "{}"}};
    if (seq == 0)
      request.created = run_row{};
    return store.append({&request, 1}).at(0);
  }

  std::size_t length() { return disk->read(run, 0).value().size(); }
};

} // namespace faulty_store_test

BOOST_FIXTURE_TEST_SUITE(faulty_store_test, fixture)

BOOST_AUTO_TEST_CASE(without_faults_it_is_the_inner_store) {
  BOOST_CHECK_EQUAL(append(0).value(), 1u);
  BOOST_CHECK_EQUAL(append(1).value(), 2u);
  BOOST_CHECK_EQUAL(length(), 2u);
  BOOST_CHECK_EQUAL(store.appends(), 2u);
}

BOOST_AUTO_TEST_CASE(an_append_that_fails_before_leaves_nothing) {
  store.fail_append(1, faulty_store::moment::before);
  BOOST_CHECK(append(0).error().code == errc::io);
  BOOST_CHECK_EQUAL(length(), 0u);
  BOOST_CHECK_EQUAL(append(0).value(), 1u);
}

BOOST_AUTO_TEST_CASE(an_append_that_fails_after_is_on_disk) {
  store.fail_append(1, faulty_store::moment::after);
  BOOST_CHECK(append(0).error().code == errc::io);
  BOOST_CHECK_EQUAL(length(), 1u);
  BOOST_CHECK(append(0).error().code == errc::conflict);
  BOOST_CHECK_EQUAL(append(1).value(), 2u);
}

BOOST_AUTO_TEST_CASE(after_its_death_nothing_works_but_the_disk_is_as_it_was) {
  store.die_at_append(2, faulty_store::moment::after);
  BOOST_REQUIRE(append(0));
  BOOST_CHECK(append(1).error().code == errc::io);
  BOOST_CHECK(store.dead());
  BOOST_CHECK(append(2).error().code == errc::io);
  BOOST_CHECK(store.read(run, 0).error().code == errc::io);
  BOOST_CHECK(store.renew().error().code == errc::io);
  BOOST_CHECK(store.list({}).error().code == errc::io);
  BOOST_CHECK_EQUAL(length(), 2u);
}

BOOST_AUTO_TEST_SUITE_END()
