#include "store_support.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace kestrion::test;
using makers = boost::mpl::list<memory_store_maker, sqlite_store_maker>;

/// What every store does about owners and inboxes, seen from one owner.
BOOST_AUTO_TEST_SUITE(sharing_contract_test)

BOOST_AUTO_TEST_CASE_TEMPLATE(our_own_runs_are_ours_to_claim, Maker, makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  BOOST_CHECK(given.store->claim(run_number(1)).value());
  BOOST_CHECK(given.store->claim(run_number(1)).value());
  BOOST_CHECK(given.store->claim(run_number(2)).error().code
              == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_released_run_can_be_taken_up_again, Maker,
                              makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  BOOST_REQUIRE(given.store->release(run_number(1)));
  BOOST_REQUIRE(given.store->release(run_number(1)));
  BOOST_REQUIRE(given.store->release(run_number(2)));
  BOOST_CHECK(given.store->claim(run_number(1)).value());
  BOOST_REQUIRE(given.store->release(run_number(1)));
  BOOST_CHECK_EQUAL(append(*given.store, next_append(run_number(1), 1)).value(),
                    2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_renews_stays_the_owner, Maker, makers) {
  Maker given;
  BOOST_REQUIRE(given.store->renew());
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  const auto before = given.store->change_counter();
  BOOST_REQUIRE(given.store->renew());
  BOOST_REQUIRE(given.store->renew());
  BOOST_CHECK_EQUAL(given.store->change_counter(), before);
  BOOST_CHECK(given.store->claim(run_number(1)).value());
  BOOST_CHECK_EQUAL(append(*given.store, next_append(run_number(1), 1)).value(),
                    2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(runs_at_work_are_claimed_page_by_page, Maker,
                              makers) {
  Maker given;
  const std::vector<std::string> agents{"ops", "billing"};
  for (std::uint64_t n = 0; n < 24; ++n) { // each status, for each agent
    auto request = first_append(run_number(n + 1));
    request.status = static_cast<run_status>(n % 8);
    request.created->agent = n < 8 ? "ops" : n < 16 ? "billing" : "legal";
    BOOST_REQUIRE(append(*given.store, request));
  }
  const auto first = given.store->claim_unfinished(agents, {}, 3).value();
  BOOST_REQUIRE_EQUAL(first.size(), 3u);
  BOOST_CHECK(first[0].status == run_status::pending);
  BOOST_CHECK(first[1].status == run_status::running);
  BOOST_CHECK_EQUAL(first[2].agent, "billing");
  BOOST_CHECK(first[2] == given.store->find(run_number(9)).value());
  const auto rest =
    given.store->claim_unfinished(agents, first[2].id, 3).value();
  BOOST_REQUIRE_EQUAL(rest.size(), 1u);
  BOOST_CHECK(rest[0].id == run_number(10));
  BOOST_CHECK_EQUAL(
    given.store->claim_unfinished(agents, {}, 100).value().size(), 4u);
  BOOST_CHECK(given.store->claim_unfinished(agents, {}, 0).value().empty());
  BOOST_CHECK(given.store->claim_unfinished({}, {}, 100).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(posts_wait_in_order_until_they_are_removed, Maker,
                              makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  BOOST_REQUIRE(append(*given.store, first_append(run_number(2))));
  const std::string data{"{\"ü\":\0}", 8};
  const auto one = given.store->post(run_number(1), data).value();
  const auto two = given.store->post(run_number(2), "second").value();
  const auto three = given.store->post(run_number(1), "").value();
  BOOST_CHECK_LT(one, two);
  BOOST_CHECK_LT(two, three);

  auto items = given.store->inbox().value();
  BOOST_REQUIRE_EQUAL(items.size(), 3u);
  BOOST_CHECK_EQUAL(items[0].id, one);
  BOOST_CHECK(items[0].run == run_number(1));
  BOOST_CHECK(items[0].data == data);
  BOOST_CHECK(items[0].at > at(0));
  BOOST_CHECK(items[1].run == run_number(2));
  BOOST_CHECK_EQUAL(items[2].data, "");

  const std::vector<std::uint64_t> done{one, three, 4711};
  BOOST_REQUIRE(given.store->remove(done));
  BOOST_REQUIRE(given.store->remove({}));
  items = given.store->inbox().value();
  BOOST_REQUIRE_EQUAL(items.size(), 1u);
  BOOST_CHECK_EQUAL(items[0].id, two);
  // Ids are not used twice, not even those of the newest.
  BOOST_REQUIRE(given.store->remove(std::vector{two}));
  BOOST_CHECK_GT(given.store->post(run_number(1), "x").value(), three);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_look_into_the_inbox_is_limited, Maker,
                              makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  for (std::size_t i = 0; i <= inbox_page; ++i)
    BOOST_REQUIRE(given.store->post(run_number(1), std::to_string(i)));
  const auto items = given.store->inbox().value();
  BOOST_REQUIRE_EQUAL(items.size(), inbox_page);
  BOOST_CHECK_EQUAL(items.front().data, "0");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_append_answers_the_message_it_follows_from,
                              Maker, makers) {
  Maker given;
  auto& store = *given.store;
  BOOST_REQUIRE(append(store, first_append(run_number(1))));
  const auto post = store.post(run_number(1), "go on").value();
  BOOST_CHECK(!store.find_answer(post).value());
  auto next = next_append(run_number(1), 1);
  next.answer = {post, "done"};
  BOOST_REQUIRE(append(store, next));

  BOOST_CHECK_EQUAL(store.find_answer(post).value().value(), "done");
  BOOST_CHECK(store.inbox().value().empty());
  BOOST_CHECK(!store.take_back(post).value());
  // Once: a second append for it is refused whole.
  next = next_append(run_number(1), 2);
  next.answer = {post, "done again"};
  BOOST_CHECK(append(store, next).error().code == errc::conflict);
  BOOST_CHECK_EQUAL(store.read(run_number(1), 0).value().size(), 2u);
  BOOST_CHECK_EQUAL(store.find_answer(post).value().value(), "done");
  BOOST_REQUIRE(store.remove(std::vector{post}));
  BOOST_CHECK(store.find_answer(post).error().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_that_was_taken_back_changes_nothing,
                              Maker, makers) {
  Maker given;
  auto& store = *given.store;
  BOOST_REQUIRE(append(store, first_append(run_number(1))));
  const auto post = store.post(run_number(1), "go on").value();
  BOOST_CHECK(store.take_back(post).value());
  BOOST_CHECK(!store.take_back(post).value());
  BOOST_CHECK(store.inbox().value().empty());
  auto next = next_append(run_number(1), 1);
  next.answer = {post, "done"};
  const auto refused = append(store, next);
  BOOST_CHECK(refused.error().code == errc::conflict);
  BOOST_CHECK_NE(refused.error().detail.find("message " + std::to_string(post)),
                 std::string::npos);
  BOOST_CHECK_EQUAL(store.read(run_number(1), 0).value().size(), 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_is_answered_once, Maker, makers) {
  Maker given;
  auto& store = *given.store;
  BOOST_REQUIRE(append(store, first_append(run_number(1))));
  const auto one = store.post(run_number(1), "may I").value();
  const auto two = store.post(run_number(1), "may I too").value();
  BOOST_REQUIRE(store.answer(std::vector<inbox_answer>{
    {one, "no"}, {two, "yes"}, {4711, "who asked"}, {one, "perhaps"}}));
  BOOST_CHECK_EQUAL(store.find_answer(one).value().value(), "no");
  BOOST_CHECK_EQUAL(store.find_answer(two).value().value(), "yes");
  BOOST_CHECK(store.find_answer(4711).error().code == errc::not_found);
  BOOST_REQUIRE(store.answer({}));

  // An answer outlives its run; what had none is gone with it.
  const auto late = store.post(run_number(1), "too late").value();
  auto end = next_append(run_number(1), 1);
  end.status = run_status::cancelled;
  BOOST_REQUIRE(append(store, end));
  BOOST_CHECK_EQUAL(store.find_answer(one).value().value(), "no");
  BOOST_CHECK(store.find_answer(late).error().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_ended_run_has_no_inbox, Maker, makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  BOOST_REQUIRE(append(*given.store, first_append(run_number(2))));
  BOOST_REQUIRE(given.store->post(run_number(1), "too late"));
  BOOST_REQUIRE(given.store->post(run_number(2), "in time"));
  auto end = next_append(run_number(1), 1);
  end.status = run_status::cancelled;
  BOOST_REQUIRE(append(*given.store, end));

  const auto items = given.store->inbox().value();
  BOOST_REQUIRE_EQUAL(items.size(), 1u);
  BOOST_CHECK_EQUAL(items[0].data, "in time");
  const auto refused = given.store->post(run_number(1), "even later");
  BOOST_CHECK(refused.error().code == errc::refused);
  BOOST_CHECK_NE(refused.error().detail.find("cancelled"), std::string::npos);
  BOOST_CHECK(given.store->post(run_number(3), "").error().code
              == errc::not_found);
  BOOST_CHECK(given.store->claim(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(posts_move_the_counter_but_our_appends_do_not,
                              Maker, makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  const auto before = given.store->change_counter();
  BOOST_REQUIRE(append(*given.store, next_append(run_number(1), 1)));
  BOOST_CHECK_EQUAL(given.store->change_counter(), before);
  BOOST_REQUIRE(given.store->post(run_number(1), "x"));
  BOOST_CHECK_GT(given.store->change_counter(), before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_shared_text_is_changed_as_a_whole, Maker,
                              makers) {
  Maker given;
  const auto add = [&](const std::string& name, const std::string& more) {
    std::string before;
    BOOST_REQUIRE(given.store->update_shared(name, [&](const auto& text) {
      before = text;
      return text + more;
    }));
    return before;
  };
  BOOST_CHECK_EQUAL(add("a", "x"), "");
  BOOST_CHECK_EQUAL(add("a", "y"), "x");
  BOOST_CHECK_EQUAL(add("b", "z"), "");
  BOOST_CHECK_EQUAL(add("a", ""), "xy");
  BOOST_CHECK_EQUAL(add("a", ""), "xy");
}

BOOST_AUTO_TEST_SUITE_END()
