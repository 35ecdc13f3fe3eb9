#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/snapshot_codec.hpp>
#include <kestrion/messages/digest.hpp>
#include <kestrion/messages/json_text.hpp>

#include <boost/json/serialize.hpp>

#include <fstream>

using namespace kestrion;

namespace snapshot_test {

/// The state that a recorded history folds to.
run_state state_of(const std::string& history) {
  std::ifstream in{std::string{KESTRION_HISTORIES} + "/" + history + ".jsonl"};
  run_state out;
  for (std::string line; std::getline(in, line);) {
    const auto row = parse_json(line, "a line").value();
    out = fold(std::move(out),
               {row.at("seq").to_number<std::uint64_t>(),
                timestamp{duration{row.at("at").as_int64()}},
                decode_event(std::string{row.at("type").as_string()},
                             boost::json::serialize(row.at("data")))
                  .value()});
  }
  return out;
}

/// A run in a store, by the log of a story.
struct stored_story {
  test::machine_story story;
  std::unique_ptr<event_store> store = open_store("memory:").value();
  run_id id = run_id::make(timestamp{}, 0, 1);

  void keep_log() {
    append_request request;
    request.run = id;
    request.created.emplace().agent = "ops";
    for (const auto& e : story.log)
      request.events.push_back(encode(e.event, e.at));
    BOOST_REQUIRE(store->append({&request, 1}).front());
  }

  void keep_snapshot(std::uint64_t seq, std::uint32_t version,
                     const std::string& data) {
    BOOST_REQUIRE(store->delete_snapshots());
    BOOST_REQUIRE(store->put_snapshot(id, {seq, version, data}));
  }

  loaded_run load() const { return load_for_life(*store, id).value(); }
};

/// The state after the first `n` events of a log.
run_state state_after(const std::vector<recorded_event>& log, std::size_t n) {
  run_state out;
  for (std::size_t i = 0; i < n; ++i)
    out = fold(std::move(out), log[i]);
  return out;
}

stored_story five_turns() {
  stored_story out;
  for (int n = 1; n <= 5; ++n) {
    out.story.asks_for({"look"});
    out.story.passes(std::chrono::seconds{1});
    out.story.tool_returns("c" + std::to_string(n) + ".0",
                           "seen \xE2\x82\xAC \"" + std::to_string(n) + "\"");
  }
  out.keep_log();
  return out;
}

} // namespace snapshot_test

BOOST_AUTO_TEST_SUITE(snapshot_test)

// If this fails, a snapshot of the last release would be read as something that
// the fold of its log is not: raise `snapshot_version`, then the digest here.
BOOST_AUTO_TEST_CASE(a_changed_fold_or_codec_has_a_new_version) {
  std::string all;
  for (const auto* history :
       {"answer_being_checked", "answers_rejected", "cancelled_with_a_child",
        "chain_with_an_edit", "children_end_in_all_ways",
        "denied_then_answered", "doubt_then_parked", "handed_over",
        "limits_raised", "questions_and_answers", "retries_then_failed",
        "slept_in_a_fork", "steered", "tools_then_answer",
        "waiting_for_two_roles"})
    all += encode_snapshot(state_of(history));
  BOOST_CHECK_EQUAL(snapshot_version, 6u);
  BOOST_CHECK_EQUAL(
    sha256_hex(all),
    "7ea8b8fa5756a0b12f3370e637b7d5be4e9a6018c2d111320abb1e3007fde988");
}

BOOST_AUTO_TEST_CASE(a_state_reads_back_as_it_was) {
  for (const auto* history : {"steered", "waiting_for_two_roles", "handed_over",
                              "cancelled_with_a_child"}) {
    const auto state = state_of(history);
    BOOST_CHECK(decode_snapshot(encode_snapshot(state)).value() == state);
  }
  BOOST_CHECK(decode_snapshot(encode_snapshot({})).value() == run_state{});
}

BOOST_AUTO_TEST_CASE(whatever_was_changed_in_a_snapshot_is_noticed) {
  const auto bytes = encode_snapshot(state_of("steered"));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto bad = bytes;
    bad[i] = bad[i] == '1' ? '2' : '1';
    BOOST_REQUIRE(decode_snapshot(bad).error().code == errc::corrupt);
    BOOST_REQUIRE(decode_snapshot(bytes.substr(0, i)).error().code
                  == errc::corrupt);
  }
  const std::string other = R"({"header":1})";
  BOOST_CHECK(decode_snapshot(sha256_hex(other) + other).error().code
              == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(a_log_is_folded_from_its_snapshot_on) {
  auto given = five_turns();
  const auto& log = given.story.log;
  for (std::size_t n = 1; n <= log.size(); ++n) {
    const auto bytes = encode_snapshot(state_after(log, n));
    given.keep_snapshot(n, snapshot_version, bytes);
    const auto loaded = given.load();
    BOOST_CHECK(loaded.state == given.story.state);
    BOOST_CHECK_EQUAL(loaded.meter.last, bytes.size());
    std::size_t tail = 0;
    for (auto i = n; i < log.size(); ++i)
      tail += encode(log[i].event, log[i].at).data.size();
    BOOST_CHECK_EQUAL(loaded.meter.tail, tail);
  }
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_does_not_fit_is_ignored) {
  auto given = five_turns();
  const auto& log = given.story.log;
  const auto is_ignored = [&] {
    const auto loaded = given.load();
    BOOST_CHECK_EQUAL(loaded.meter.last, 0u);
    BOOST_CHECK(loaded.state == given.story.state);
  };
  const auto good = encode_snapshot(state_after(log, 4));

  given.keep_snapshot(4, snapshot_version + 1, good);
  is_ignored();
  given.keep_snapshot(4, snapshot_version, "{}");
  is_ignored();
  given.keep_snapshot(5, snapshot_version, good);
  is_ignored();
  given.keep_snapshot(0, snapshot_version, encode_snapshot({}));
  is_ignored();
  // Of another log: longer than ours, or with other times.
  auto other = five_turns();
  other.story.asks_for({"look"});
  given.keep_snapshot(other.story.log.size(), snapshot_version,
                      encode_snapshot(other.story.state));
  is_ignored();
  auto late = state_after(log, 4);
  late.progress.updated_at += duration{1};
  given.keep_snapshot(4, snapshot_version, encode_snapshot(late));
  is_ignored();
}

BOOST_AUTO_TEST_CASE(a_short_run_pays_for_no_snapshot) {
  const snapshot_rule rule;
  BOOST_CHECK(!is_snapshot_due(rule, {0, rule.tail_min - 1}, false));
  BOOST_CHECK(!is_snapshot_due(rule, {0, rule.tail_min - 1}, true));
  BOOST_CHECK(is_snapshot_due(rule, {0, rule.tail_min}, false));
  std::size_t bytes = 0;
  for (const auto& e : five_turns().story.log)
    bytes += encode(e.event, e.at).data.size();
  BOOST_CHECK(!is_snapshot_due(rule, {0, bytes}, true));
}

BOOST_AUTO_TEST_CASE(all_snapshots_of_a_run_are_linear_in_its_log) {
  for (const bool leaving : {false, true}) {
    snapshot_meter meter;
    std::size_t log = 0;
    std::size_t written = 0;
    for (int turn = 0; turn < 100'000; ++turn) {
      log += 1'000;
      meter.tail += 1'000;
      if (!is_snapshot_due({}, meter, leaving))
        continue;
      meter = {log, 0}; // As large as all that it stands for, at the worst.
      written += log;
    }
    BOOST_CHECK_GE(written, log / 2);
    BOOST_CHECK_LE(written, log * (leaving ? 5 : 2));
  }
}

BOOST_AUTO_TEST_SUITE_END()
