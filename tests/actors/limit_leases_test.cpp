#include <kestrion/actors/limit_leases.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace std::chrono_literals;

namespace limit_leases_test {

constexpr timestamp noon{std::chrono::hours{500'004}};

struct sharers {
  std::unique_ptr<event_store> store = open_store("memory:").value();

  /// What `process` has of a limit of 100 that it could use up.
  limit_lease renew(const std::string& process, timestamp now,
                    std::uint64_t kept = 0) {
    const limit_need need{"calls", 100, 100, true, 1min};
    return renew_leases(*store, {process, {need}, {{"calls", kept}}, now})
      .value()
      .at(0);
  }

  void write(const std::string& text) {
    BOOST_REQUIRE(
      store->update_shared("limits", [&](const auto&) { return text; }));
  }
};

} // namespace limit_leases_test

BOOST_FIXTURE_TEST_SUITE(limit_leases_test, sharers)

BOOST_AUTO_TEST_CASE(slices_outlive_who_arranged_them) {
  const auto first = renew("a", noon);
  BOOST_CHECK_EQUAL(first.slice.amount, 100);
  BOOST_CHECK(first.slice.until == noon + limit_lease_length);
  BOOST_CHECK_EQUAL(renew("b", noon).slice.amount, 0);
  const auto told = renew("a", noon + 1s);
  BOOST_CHECK_EQUAL(told.slice.amount, 50); // It keeps to that from now on.
  BOOST_CHECK_EQUAL(renew("b", noon + 1s).slice.amount, 0);
  renew("a", noon + 2s, told.epoch);
  BOOST_CHECK_EQUAL(renew("b", noon + 2s).slice.amount, 50);
}

BOOST_AUTO_TEST_CASE(who_leaves_gives_back_when_servers_have_forgotten) {
  renew("a", noon);
  BOOST_REQUIRE(leave_limits(*store, "a", noon + 1s));
  BOOST_CHECK_EQUAL(renew("b", noon + 1min).slice.amount, 0);
  BOOST_CHECK_EQUAL(renew("b", noon + 1min + 1s).slice.amount, 100);
}

BOOST_AUTO_TEST_CASE(who_leaves_a_store_without_limits_writes_nothing) {
  BOOST_REQUIRE(leave_limits(*store, "a", noon));
  BOOST_REQUIRE(store->update_shared("limits", [](const auto& text) {
    BOOST_CHECK_EQUAL(text, "");
    return text;
  }));
}

BOOST_AUTO_TEST_CASE(what_is_no_leases_is_an_error_and_stays_as_it_is) {
  for (const auto* text : {"{", "[]", R"({"calls":{"amount":"many"}})"}) {
    write(text);
    const limit_need need{"calls", 100, 100, true, 1min};
    const auto leases = renew_leases(*store, {"a", {need}, {}, noon});
    BOOST_TEST_REQUIRE(!leases, text);
    BOOST_CHECK(leases.error().code == errc::corrupt);
    BOOST_CHECK(leave_limits(*store, "a", noon).error().code == errc::corrupt);
    BOOST_REQUIRE(store->update_shared("limits", [&](const auto& now) {
      BOOST_CHECK_EQUAL(now, text);
      return now;
    }));
  }
}

BOOST_AUTO_TEST_SUITE_END()
