#include <kestrion/actors/draft_board.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/draft_album.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

/// Where drafts are written and read: who comes when, and how slow they are.
namespace kestrion::test {

namespace draft_board_test {

const auto here = run_id::make(timestamp{}, 0, 1);

model_delta said(std::string text, std::size_t index = 0) {
  return {delta_kind::text, index, 0, std::move(text)};
}

void nobody() {}

struct desk {
  draft_board board;
  std::unique_ptr<draft_pen> pen;
  delta_sink write;

  void begin(const std::string& call, std::int64_t attempt = 1) {
    pen.reset();
    pen = board.begin(here, call, attempt);
    write = pen->sink();
  }
};

/// All that is there.
void read(draft_watch& watch, draft_album& into) {
  while (const auto update = watch.take(nobody))
    into.add(*update);
}

std::vector<std::string> lines_of(draft_watch& watch) {
  draft_album album;
  read(watch, album);
  return album.lines();
}

} // namespace draft_board_test

BOOST_FIXTURE_TEST_SUITE(draft_board_test, desk)

BOOST_AUTO_TEST_CASE(who_watches_sees_that_a_draft_begins_grows_and_ends) {
  const auto watch = board.watch(here);
  BOOST_CHECK(!watch->take(nobody));
  begin("m1", 2);
  const auto first = watch->take(nobody);
  BOOST_REQUIRE(first);
  BOOST_CHECK(first->run == here);
  BOOST_CHECK_EQUAL(first->call, "m1");
  BOOST_CHECK_EQUAL(first->attempt, 2);
  BOOST_CHECK_EQUAL(first->state, draft_state::growing);
  BOOST_CHECK(first->pieces.empty());
  BOOST_CHECK(!watch->take(nobody));

  write(said("Hel"));
  const auto second = watch->take(nobody);
  BOOST_REQUIRE(second && second->pieces.size() == 1);
  BOOST_CHECK(second->pieces[0] == said("Hel"));
  BOOST_CHECK(!watch->take(nobody));

  write(said("lo"));
  pen->complete();
  const auto last = watch->take(nobody);
  BOOST_REQUIRE(last && last->pieces.size() == 1);
  BOOST_CHECK_EQUAL(last->pieces[0].offset, 3u);
  BOOST_CHECK_EQUAL(text_of(*last), "lo");
  BOOST_CHECK_EQUAL(last->state, draft_state::completed);
  BOOST_CHECK(!watch->take(nobody));
}

BOOST_AUTO_TEST_CASE(who_comes_late_sees_all_so_far_and_then_what_follows) {
  begin("m1");
  write(said("Good "));
  write(said("mor"));
  const auto watch = board.watch(here);
  const auto so_far = watch->take(nobody);
  BOOST_REQUIRE(so_far);
  BOOST_CHECK_EQUAL(text_of(*so_far), "Good mor");
  write(said("ning"));
  CHECK_LINES(lines_of(*board.watch(here)), "m1 1 growing: Good morning");
  pen->complete();
  BOOST_CHECK_EQUAL(text_of(*watch->take(nobody)), "ning");
  // It is an event now, and no draft any more.
  BOOST_CHECK(!board.watch(here)->take(nobody));
}

BOOST_AUTO_TEST_CASE(what_was_not_taken_becomes_one_piece_a_block) {
  const auto watch = board.watch(here);
  begin("m1");
  for (int i = 0; i < 1'000; ++i) {
    write({delta_kind::reasoning, 0, 0, "t"});
    write(said("s", 1));
    write({delta_kind::tool_arguments, 2, 0, "a"});
  }
  const auto update = watch->take(nobody);
  BOOST_REQUIRE(update);
  const std::vector<model_delta> expected{
    {delta_kind::reasoning, 0, 0, std::string(1'000, 't')},
    {delta_kind::text, 1, 0, std::string(1'000, 's')},
    {delta_kind::tool_arguments, 2, 0, std::string(1'000, 'a')}};
  BOOST_CHECK(update->pieces == expected);
  BOOST_CHECK_EQUAL(text_of(*update), std::string(1'000, 's'));
}

BOOST_AUTO_TEST_CASE(who_has_nothing_to_read_is_woken_once) {
  int woken = 0;
  const auto wake = [&] {
    ++woken;
  };
  const auto watch = board.watch(here);
  BOOST_CHECK(!watch->take(wake));
  begin("m1");
  write(said("a"));
  write(said("b"));
  BOOST_CHECK_EQUAL(woken, 1);
  BOOST_CHECK(watch->take(wake));
  BOOST_CHECK(!watch->take(wake));
  pen->complete();
  BOOST_CHECK_EQUAL(woken, 2);
  // One that was given before is forgotten.
  BOOST_CHECK(watch->take(wake));
  BOOST_CHECK(!watch->take(wake));
  BOOST_CHECK(!watch->take(nobody));
  begin("m2");
  BOOST_CHECK_EQUAL(woken, 2);
}

BOOST_AUTO_TEST_CASE(a_pen_that_goes_drops_its_draft) {
  const auto watch = board.watch(here);
  begin("m1");
  write(said("lost"));
  const auto late = write;
  begin("m1"); // As after a crash.
  late(said("too late"));
  write(said("kept"));
  pen->complete();
  pen.reset();
  write(said("too late"));
  CHECK_LINES(lines_of(*watch), "m1 1 dropped: lost", "m1 1 completed: kept");
}

BOOST_AUTO_TEST_CASE(who_is_far_behind_sees_the_last_drafts_only) {
  const auto watch = board.watch(here);
  draft_album album;
  begin("m1");
  write(said("one"));
  album.add(*watch->take(nobody));
  for (int i = 2; i <= 20; ++i) {
    begin("m" + std::to_string(i));
    write(said(std::to_string(i)));
    pen->complete();
  }
  read(*watch, album);
  // What was begun is seen to its end.
  CHECK_LINES(album.lines(), "m1 1 dropped: one", "m14 1 completed: 14",
              "m15 1 completed: 15", "m16 1 completed: 16",
              "m17 1 completed: 17", "m18 1 completed: 18",
              "m19 1 completed: 19", "m20 1 completed: 20");

  const auto other = board.watch(here);
  for (int i = 1; i <= 20; ++i) {
    begin("m" + std::to_string(i));
    pen->complete();
  }
  const auto seen = lines_of(*other);
  BOOST_REQUIRE_EQUAL(seen.size(), drafts_behind_max);
  BOOST_CHECK_EQUAL(seen.front(), "m13 1 completed: ");
}

BOOST_AUTO_TEST_CASE(runs_do_not_see_each_other_and_leave_nothing_behind) {
  const auto there = run_id::make(timestamp{}, 0, 2);
  auto watch = board.watch(there);
  begin("m1");
  write(said("a"));
  BOOST_CHECK(!watch->take(nobody));
  BOOST_CHECK_EQUAL(board.runs(), 2u);
  watch.reset();
  BOOST_CHECK_EQUAL(board.runs(), 1u);
  pen.reset();
  BOOST_CHECK_EQUAL(board.runs(), 1u); // The model may still write.
  write = {};
  BOOST_CHECK_EQUAL(board.runs(), 0u);
}

BOOST_AUTO_TEST_CASE(threads_that_read_while_another_writes_miss_nothing) {
  constexpr int drafts = 6;
  constexpr int pieces = 3'000;
  /// Sleeps until it is woken, as a subscriber does.
  struct bed {
    std::mutex mutex;
    std::condition_variable woken;
    bool is_up = false;
  };
  std::vector<std::vector<draft_update>> seen(3);
  std::vector<std::thread> readers;
  std::deque<std::unique_ptr<draft_watch>> watches;
  for (auto& updates : seen) {
    auto* watch = watches.emplace_back(board.watch(here)).get();
    readers.emplace_back([watch, &updates] {
      const auto b = std::make_shared<bed>();
      for (int ended = 0; ended < drafts;) {
        if (auto update = watch->take([b] {
              const std::lock_guard lock{b->mutex};
              b->is_up = true;
              b->woken.notify_one();
            })) {
          ended += update->state == draft_state::growing ? 0 : 1;
          updates.push_back(std::move(*update));
          continue;
        }
        std::unique_lock lock{b->mutex};
        b->woken.wait(lock, [&] { return std::exchange(b->is_up, false); });
      }
    });
  }
  std::string all;
  for (int i = 0; i < pieces; ++i)
    all += std::to_string(i) + ' ';
  for (int d = 1; d <= drafts; ++d) {
    begin("m" + std::to_string(d));
    for (int i = 0; i < pieces; ++i)
      write(said(std::to_string(i) + ' '));
    pen->complete();
  }
  for (auto& reader : readers)
    reader.join();
  for (const auto& updates : seen) {
    draft_album album;
    for (const auto& update : updates)
      album.add(update);
    BOOST_CHECK_EQUAL(album.drafts().size(), drafts);
    for (const auto& draft : album.drafts())
      BOOST_CHECK(draft.text() == all);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
