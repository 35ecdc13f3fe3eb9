/// Who watches the drafts of a run sees each byte of each answer once, while it
/// is made, whatever crashes; and slows nobody. Virtual time, seeded schedules.

#include <kestrion/tests/sim/storm_witness.hpp>
#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/draft_spectators.hpp>
#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/outside.hpp>

#include <deque>

namespace kestrion::test {

using namespace std::chrono_literals;

namespace drafts_test {

model_delta piece(std::string text) {
  return {delta_kind::text, 0, 0, std::move(text)};
}

struct watched : family {
  std::shared_ptr<patient_model> m = std::make_shared<patient_model>();

  agent poet() {
    agent a{"poet"};
    a.model(m).streams();
    a.tool(
      "look", "Looks.", [] { return "ran"; }, effect_contract::pure);
    return a;
  }

  /// A process with a poet, and a run of it that waits for its model.
  run_id begin(std::uint32_t seed = 1) {
    boot({poet()}, seed);
    return start("poet");
  }

  /// As above, in a world where nothing has happened yet.
  run_id begin_anew(std::uint32_t seed) {
    disk = open_store("memory:").value();
    m = std::make_shared<patient_model>();
    return begin(seed);
  }

  result<bool> watch(const run_id& id, draft_subscriber_actor who) {
    return ask_front<bool>(*process, watch_drafts{id, std::move(who)});
  }

  /// The model says a part of its answer, and all who can hear it do.
  void say(const std::string& text) {
    m->calls.back().on_delta(piece(text));
    process->settle();
  }

  void finish(model_outcome outcome) {
    m->calls.back().done(std::move(outcome));
    process->settle();
  }

  /// Its actor ends, and is started anew after a while.
  void crash(const run_id& id) {
    caf::anon_send_exit(live_runs(process->actors()).at(id),
                        caf::exit_reason::kill);
    process->advance(1s);
  }

  std::size_t desks() { return process->actors().context->drafts->runs(); }
};

} // namespace drafts_test

BOOST_FIXTURE_TEST_SUITE(drafts_test, watched)

// -- while all is well --------------------------------------------------------

BOOST_AUTO_TEST_CASE(pieces_are_seen_before_the_answer_is_finished) {
  const auto id = begin();
  const spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  CHECK_LINES(who.lines(), "m1 1 growing: ");
  say("Roses ");
  CHECK_LINES(who.lines(), "m1 1 growing: Roses ");
  say("are red.");
  CHECK_LINES(who.lines(), "m1 1 growing: Roses are red.");
  finish(says("Roses are red."));
  CHECK_LINES(who.lines(), "m1 1 completed: Roses are red.");
  BOOST_CHECK_EQUAL(who.album().drafts()[0].updates, 4u);
  BOOST_CHECK_EQUAL(wait(id).output, "Roses are red.");
  // Nothing of it is in the log but the answer.
  BOOST_CHECK_EQUAL(load_events(*disk, id, 0).value().size(), 4u);
}

BOOST_AUTO_TEST_CASE(a_draft_is_completed_once_its_event_is_durable) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      const auto id = begin_anew(seed);
      int completed = 0;
      const auto subscriber =
        process->system().spawn([&](draft_subscriber_actor::pointer)
                                  -> draft_subscriber_actor::behavior_type {
          return {[&](const draft_update& x) {
            if (x.state != draft_state::completed)
              return;
            ++completed;
            const auto log = load_events(*disk, id, 0).value();
            BOOST_CHECK(std::any_of(log.begin(), log.end(), [&](auto& e) {
              const auto* done = std::get_if<model_call_completed>(&e.event);
              return done && done->call == x.call;
            }));
          }};
        });
      BOOST_REQUIRE(watch(id, subscriber));
      finish(calls({{"look"}}));
      finish(says("seen"));
      BOOST_CHECK_EQUAL(completed, 2);
      BOOST_CHECK_EQUAL(status(id), run_status::completed);
      caf::anon_send_exit(subscriber, caf::exit_reason::user_shutdown);
    }
}

BOOST_AUTO_TEST_CASE(whenever_one_begins_it_sees_each_byte_once) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      const auto id = begin_anew(seed);
      std::string all;
      std::deque<spectator> who;
      for (int i = 0; i < 30; ++i) {
        if (process->random() % 8 == 0)
          caf::anon_send(process->actors().front,
                         watch_drafts{id, who.emplace_back(*process).actor()});
        const auto text = std::to_string(process->random() % 1'000) + ' ';
        all += text;
        m->calls[0].on_delta(piece(text));
        process->settle(static_cast<int>(process->random() % 10));
      }
      process->settle();
      finish(says(all));
      for (const auto& each : who)
        CHECK_LINES(each.lines(), "m1 1 completed: " + all);
      BOOST_CHECK_EQUAL(wait(id).output, all);
    }
}

BOOST_AUTO_TEST_CASE(all_calls_of_a_run_are_seen_and_those_of_no_other) {
  const auto id = begin();
  const auto other = start("poet");
  const spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  m->calls[0].on_delta({delta_kind::text, 0, 0, "I look."});
  m->calls[1].on_delta(piece("another's"));
  m->calls[0].on_delta({delta_kind::tool_name, 1, 0, "look"});
  m->calls[0].on_delta({delta_kind::tool_arguments, 1, 0, "{}"});
  m->calls[0].done(calls({{"look"}}, "I look."));
  process->settle();
  say("Seen.");
  finish(says("Seen."));
  CHECK_LINES(who.lines(), "m1 1 completed: I look.", "m2 1 completed: Seen.");
  const auto& blocks = who.album().drafts()[0].blocks;
  BOOST_CHECK_EQUAL(blocks.at({delta_kind::tool_name, 1}), "look");
  BOOST_CHECK_EQUAL(blocks.at({delta_kind::tool_arguments, 1}), "{}");
  BOOST_CHECK_EQUAL(status(other), run_status::running);
}

BOOST_AUTO_TEST_CASE(a_model_that_knows_no_streams_is_seen_in_blocks) {
  agent a{"poet"};
  a.model(by_turn({says("Roses are red.")})).streams();
  boot({a});
  const auto id = run_id::make(noon, 1, 2);
  caf::anon_send(process->actors().front,
                 start_request{"poet", user_message("Go on."), {}, id});
  const spectator who{*process};
  while (!disk->find(id).value())
    process->settle(1);
  BOOST_REQUIRE(watch(id, who.actor()));
  CHECK_LINES(who.lines(), "m1 1 completed: Roses are red.");
}

BOOST_AUTO_TEST_CASE(an_agent_that_does_not_stream_costs_nothing) {
  agent a{"scout"};
  a.model(m);
  boot({a});
  const auto id = start("scout");
  BOOST_CHECK(!m->calls.at(0).on_delta);
  BOOST_CHECK_EQUAL(desks(), 0u);
  const spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  finish(says("seen"));
  BOOST_CHECK(who.lines().empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_is_not_there_has_no_drafts) {
  begin();
  const spectator who{*process};
  const auto answer = watch(run_id::make(noon, 3, 4), who.actor());
  BOOST_REQUIRE(!answer);
  BOOST_CHECK(answer.error().code == errc::not_found);
}

// -- drafts that are dropped --------------------------------------------------

BOOST_AUTO_TEST_CASE(a_failed_attempt_is_dropped_and_the_next_is_another) {
  const auto id = begin();
  const spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  say("Roses ");
  finish(fails(errc::io, true));
  CHECK_LINES(who.lines(), "m1 1 dropped: Roses ");
  process->advance(1s);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  say("Violets");
  m->calls[0].on_delta(piece("are red.")); // Too late.
  finish(says("Violets"));
  CHECK_LINES(who.lines(), "m1 1 dropped: Roses ", "m1 2 completed: Violets");
}

BOOST_AUTO_TEST_CASE(an_attempt_that_is_interrupted_or_cancelled_is_dropped) {
  const auto id = begin();
  const spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  say("Roses ");
  BOOST_REQUIRE(tell(id, send_message{user_message("No!"), "ana", true, {}}));
  CHECK_LINES(who.lines(), "m1 1 dropped: Roses ", "m1 2 growing: ");
  say("Violets");
  BOOST_REQUIRE(tell(id, stop));
  CHECK_LINES(who.lines(), "m1 1 dropped: Roses ", "m1 2 dropped: Violets");
}

BOOST_AUTO_TEST_CASE(a_crash_in_the_middle_begins_the_draft_anew) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      const auto id = begin_anew(seed);
      const spectator who{*process};
      BOOST_REQUIRE(watch(id, who.actor()));
      say("Roses ");
      crash(id);
      BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
      CHECK_LINES(who.lines(), "m1 1 dropped: Roses ", "m1 1 growing: ");
      say("Violets ");
      const spectator late{*process};
      BOOST_REQUIRE(watch(id, late.actor()));
      say("are blue.");
      finish(says("Violets are blue."));
      CHECK_LINES(who.lines(), "m1 1 dropped: Roses ",
                  "m1 1 completed: Violets are blue.");
      CHECK_LINES(late.lines(), "m1 1 completed: Violets are blue.");
    }
}

BOOST_AUTO_TEST_CASE(the_next_process_begins_the_draft_anew) {
  const auto id = begin();
  say("Roses ");
  boot({poet()}, 2); // The process before died in the middle.
  const spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  say("Violets");
  finish(says("Violets"));
  CHECK_LINES(who.lines(), "m1 1 completed: Violets");
  BOOST_CHECK_EQUAL(wait(id).output, "Violets");
}

BOOST_AUTO_TEST_CASE(a_crash_between_the_answer_and_its_event_shows_no_end) {
  // Whenever the run crashes, a completed draft is one whose event is there;
  // and the answer of each call is completed at most once.
  for (std::uint32_t seed = 1; seed <= 200; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      const auto id = begin_anew(seed);
      const spectator who{*process};
      BOOST_REQUIRE(watch(id, who.actor()));
      say("Roses");
      m->calls[0].done(says("Roses"));
      process->settle(static_cast<int>(process->random() % 8));
      const auto live = live_runs(process->actors());
      if (live.contains(id)) {
        const auto victim = process->random() % 2 == 0
                              ? caf::actor_cast<caf::actor>(live.at(id))
                              : caf::actor_cast<caf::actor>(
                                process->actors().context->journal.get());
        caf::anon_send_exit(victim, caf::exit_reason::kill);
      }
      process->advance(1s);
      if (m->calls.size() == 2) {
        say("Violets");
        finish(says("Violets"));
        CHECK_LINES(who.lines(), "m1 1 dropped: Roses",
                    "m1 1 completed: Violets");
      } else {
        BOOST_REQUIRE_EQUAL(who.lines().size(), 1u);
        BOOST_CHECK_EQUAL(who.album().drafts()[0].text(), "Roses");
      }
      BOOST_CHECK_EQUAL(status(id), run_status::completed);
    }
}

// -- slow ones, and ends ------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_slow_one_slows_nobody_and_gets_larger_pieces) {
  const auto id = begin();
  slow_spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  std::string all;
  for (int i = 0; i < 500; ++i) {
    say("word ");
    all += "word ";
  }
  BOOST_CHECK(who.take_one()); // That it began.
  process->settle();
  BOOST_CHECK(who.take_one()); // All that came since.
  BOOST_CHECK_EQUAL(who.album.drafts()[0].text(), all);
  say("end");
  finish(says(all + "end"));
  BOOST_CHECK_EQUAL(status(id), run_status::completed); // Nobody waits for it.
  while (who.take_one())
    process->settle();
  CHECK_LINES(who.album.lines(), "m1 1 completed: " + all + "end");
  BOOST_CHECK_LE(who.album.drafts()[0].updates, 4u);
}

BOOST_AUTO_TEST_CASE(one_that_sleeps_through_calls_sees_the_last_ones) {
  const auto id = begin();
  slow_spectator who{*process};
  BOOST_REQUIRE(watch(id, who.actor()));
  for (int i = 1; i <= 20; ++i) {
    say("I look.");
    finish(calls({{"look"}}, "I look."));
  }
  finish(says("Seen."));
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  while (who.take_one())
    process->settle();
  const auto& drafts = who.album.drafts();
  BOOST_REQUIRE_EQUAL(drafts.size(), drafts_behind_max);
  BOOST_CHECK_EQUAL(drafts.front().call, "m1"); // It saw that begin.
  BOOST_CHECK_EQUAL(drafts.back().call, "m21");
  for (const auto& each : drafts)
    BOOST_CHECK_EQUAL(each.state, draft_state::completed);
}

BOOST_AUTO_TEST_CASE(it_ends_with_the_subscriber) {
  const auto id = begin();
  spectator quits{*process};
  spectator crashes{*process};
  const spectator stays{*process};
  BOOST_REQUIRE(watch(id, quits.actor()));
  BOOST_REQUIRE(watch(id, crashes.actor()));
  BOOST_REQUIRE(watch(id, stays.actor()));
  const auto actors = process->system().registry().running();
  quits.end();
  crashes.crash();
  process->settle();
  // With each goes the actor that read for it.
  BOOST_CHECK_EQUAL(process->system().registry().running(), actors - 4);
  say("Roses");
  finish(says("Roses"));
  CHECK_LINES(stays.lines(), "m1 1 completed: Roses");
  BOOST_CHECK_EQUAL(quits.lines().size(), 1u);
  BOOST_CHECK_EQUAL(desks(), 1u); // Of the one who stays.
  m->calls.clear();
  caf::anon_send_exit(stays.actor(), caf::exit_reason::user_shutdown);
  process->settle();
  BOOST_CHECK_EQUAL(desks(), 0u);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_runs_that_nobody_watched) {
  const auto id = begin();
  BOOST_CHECK_EQUAL(desks(), 1u);
  say("Roses");
  finish(says("Roses"));
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  m->calls.clear();
  BOOST_CHECK_EQUAL(desks(), 0u);
}

// -- all at once --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(whatever_crashes_what_is_seen_as_completed_is_the_log) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      const auto id = begin_anew(seed);
      std::deque<spectator> who;
      std::deque<slow_spectator> slow;
      const auto one_in = [&](std::uint64_t n) {
        return process->random() % n == 0;
      };
      // What a call has said so far; as a vendor, it says the same at the end.
      std::map<std::size_t, std::string> said;
      std::size_t answered = 0; // So many calls; the others are open.
      const auto answer = [&](std::size_t i) {
        answered = i + 1;
        if (one_in(4))
          m->calls[i].done(fails(errc::unavailable, true));
        else if (one_in(2))
          m->calls[i].done(calls({{"look"}}, said[i]));
        else
          m->calls[i].done(says(said[i]));
      };
      for (int step = 0; step < 120; ++step) {
        if (one_in(15))
          caf::anon_send(process->actors().front,
                         watch_drafts{id, who.emplace_back(*process).actor()});
        if (one_in(40))
          caf::anon_send(process->actors().front,
                         watch_drafts{id, slow.emplace_back(*process).actor()});
        if (one_in(30) && !who.empty())
          who[process->random() % who.size()].end();
        const auto last = m->calls.size() - 1;
        if (answered > last) {
          process->settle(5);
        } else if (one_in(12)) {
          answer(last);
        } else {
          const auto text = std::to_string(step) + ' ';
          said[last] += text;
          m->calls[last].on_delta(piece(text));
        }
        const auto live = live_runs(process->actors());
        if (one_in(25) && live.contains(id))
          caf::anon_send_exit(live.at(id), caf::exit_reason::kill);
        if (one_in(40))
          caf::anon_send_exit(process->actors().context->journal.get(),
                              caf::exit_reason::kill);
        if (one_in(40) && process->directory())
          caf::anon_send_exit(process->directory(), caf::exit_reason::kill);
        for (auto& each : slow)
          if (one_in(20))
            each.take_one();
        process->settle(static_cast<int>(process->random() % 20));
        if (one_in(10))
          process->advance(1s);
      }
      process->advance(1min);
      for (; answered < m->calls.size(); process->advance(1min)) {
        answered = m->calls.size();
        m->calls.back().done(says(said[answered - 1]));
      }
      BOOST_REQUIRE(is_at_rest(status(id)));
      std::map<std::string, std::string> answers;
      for (const auto& e : load_events(*disk, id, 0).value())
        if (const auto* x = std::get_if<model_call_completed>(&e.event)) {
          auto& answer_text = answers[x->call];
          for (const auto& part : x->parts)
            if (const auto* text = std::get_if<text_part>(&part))
              answer_text += text->text;
        }
      for (auto& each : slow)
        while (each.take_one())
          process->settle();
      const auto check = [&](const draft_album& album) {
        for (const auto& draft : album.drafts())
          if (draft.state == draft_state::completed)
            BOOST_CHECK_EQUAL(draft.text(), answers.at(draft.call));
      };
      for (const auto& each : who)
        check(each.album());
      for (const auto& each : slow)
        check(each.album);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
