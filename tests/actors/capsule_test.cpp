#include <kestrion/kestrion.hpp>

#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

/// Runs as files, and runs that are not kept.
namespace kestrion::test {

namespace capsule_test {

constexpr auto picture = "\x89PNG, nearly";

/// Agent "lead" asks a "scout" and answers; "gated" waits for a person.
std::vector<agent> team() {
  return {agent{"lead"}
            .model(model_by_turn(
              {calls({{"scout", R"({"prompt":"look"})"}}), says("done")}))
            .subagent("scout", "Looks.", "scout"),
          agent{"scout"}.model(
            function_model([](const model_request&) { return says("seen"); })),
          agent{"gated"}
            .model(model_by_turn({calls({{"act", "{}"}}), says("done")}))
            .tool(
              "act", "Acts.", [] { return 1; }, requires_approval{})};
}

struct world {
  temp_folder folder;
  std::string file = folder / "run.jsonl";

  std::string url(const std::string& name) {
    return "sqlite:///" + (folder / name.c_str());
  }

  std::unique_ptr<runtime> open(const std::string& name,
                                const std::vector<agent>& agents = team()) {
    runtime_options options;
    options.store = url(name);
    return std::make_unique<runtime>(options, agents);
  }

  std::string text() const {
    std::ifstream in{file};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

  void write(const std::string& text) const { std::ofstream{file} << text; }
};

message with_picture(runtime& rt) {
  auto out = user_message("go");
  out.parts.emplace_back(image_part{"image/png", {}, rt.put_blob(picture)});
  return out;
}

std::string why_not(runtime& rt, const std::string& path) {
  try {
    static_cast<void>(rt.import_runs(path));
  } catch (const failure& e) {
    return e.what();
  }
  return "";
}

} // namespace capsule_test

BOOST_FIXTURE_TEST_SUITE(capsule_test, world)

BOOST_AUTO_TEST_CASE(a_run_goes_on_a_journey) {
  const auto from = open("a.db");
  const auto run = from->start("lead", with_picture(*from));
  BOOST_REQUIRE(run.wait().status == run_status::completed);
  from->export_run(run.id(), file, {.children = true});

  const auto to = open("b.db");
  const auto ids = to->import_runs(file);
  BOOST_REQUIRE_EQUAL(ids.size(), 2u);
  BOOST_CHECK(ids[0] == run.id());
  for (const auto& id : ids) {
    BOOST_CHECK(to->events(id) == from->events(id));
    BOOST_CHECK_EQUAL(to->verify(id).head, from->verify(id).head);
    BOOST_CHECK(!to->verify(id).flaw);
    BOOST_CHECK(!to->replay(id).divergence);
  }
  BOOST_CHECK_EQUAL(to->result(run.id()).output, "done");
  BOOST_CHECK_EQUAL(to->get_blob(from->put_blob(picture)), picture);
  BOOST_CHECK(to->import_runs(file) == ids); // Again is nothing.
}

BOOST_AUTO_TEST_CASE(what_has_not_ended_comes_parked) {
  const auto from = open("a.db");
  const auto run = from->start("gated", "go");
  BOOST_REQUIRE(run.wait().status == run_status::waiting_on_human);
  from->export_run(run.id(), file);
  const auto to = open("b.db");
  to->import_runs(file);
  BOOST_CHECK(to->result(run.id()).status == run_status::parked);
  BOOST_CHECK(to->approvals().empty());
  to->import_runs(file);
  to->unpark(run.id(), "ana");
  to->approve(run.id(), {.by = "ana"});
  BOOST_CHECK(to->find(run.id()).wait().status == run_status::completed);
  BOOST_CHECK(from->result(run.id()).status == run_status::waiting_on_human);
  // There it has got on, so here it is another.
  from->cancel(run.id(), "bob");
  from->export_run(run.id(), file);
  BOOST_CHECK_EQUAL(why_not(*to, file),
                    "conflict: run " + run.id().str()
                      + " is in this store with another log");
}

BOOST_AUTO_TEST_CASE(a_file_that_was_changed_or_cut_is_refused) {
  const auto from = open("a.db");
  const auto run = from->start("lead", with_picture(*from));
  run.wait();
  from->export_run(run.id(), file);
  const auto whole = text();
  const auto to = open("b.db");
  for (std::size_t n = 0; n < whole.size() - 1; n += 1 + whole.size() / 400) {
    write(whole.substr(0, n));
    BOOST_REQUIRE(!why_not(*to, file).empty());
    auto changed = whole;
    changed[n] = changed[n] == '1' ? '2' : '1';
    write(changed);
    BOOST_REQUIRE_MESSAGE(!why_not(*to, file).empty(), "byte " << n);
  }
  BOOST_CHECK(to->list().empty());
  write(whole + "{\"end\":0}\n");
  BOOST_CHECK_NE(why_not(*to, file).find("follows the last one"),
                 std::string::npos);
  write(R"({"kestrion_capsule":2})");
  BOOST_CHECK_EQUAL(why_not(*to, file),
                    "unsupported: the capsule \"" + file
                      + "\" has version 2; this program knows up to 1");
  write("hello");
  BOOST_CHECK_EQUAL(why_not(*to, file),
                    "unsupported: \"" + file
                      + "\" is no capsule of Kestrion: it does not begin so");
  BOOST_CHECK_EQUAL(why_not(*to, folder / "none"), "io: the capsule \""
                                                     + (folder / "none")
                                                     + "\" can't be opened");
  write(whole);
  BOOST_CHECK_EQUAL(to->import_runs(file).size(), 1u);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_taken_adds_nothing) {
  const auto from = open("a.db");
  const auto run = from->start("scout", "go", {.key = "one"});
  run.wait();
  from->export_run(run.id(), file);
  const auto to = open("b.db");
  const auto other = to->start("scout", "go", {.key = "one"});
  other.wait();
  BOOST_CHECK_EQUAL(why_not(*to, file),
                    "conflict: the key \"one\" of agent \"scout\" is taken by "
                      + other.id().str());
  BOOST_CHECK_EQUAL(to->list().size(), 1u);
}

BOOST_AUTO_TEST_CASE(a_run_can_be_exported_to_a_folder_that_is_there_only) {
  const auto from = open("a.db");
  const auto run = from->start("scout", "go");
  run.wait();
  BOOST_CHECK_THROW(from->export_run(run.id(), folder / "no/run.jsonl"),
                    failure);
  BOOST_CHECK_THROW(from->export_run(run_id::make({}, 0, 1), file), failure);
  BOOST_CHECK(!std::filesystem::exists(file));
}

// -- what is not kept ---------------------------------------------------------

BOOST_AUTO_TEST_CASE(old_runs_are_archived_and_erased) {
  const auto rt = open("a.db");
  const auto done = rt->start("lead", "go", {.tenant = "acme"});
  done.wait();
  const auto other = rt->start("scout", "go");
  other.wait();
  const auto waiting = rt->start("gated", "go", {.tenant = "acme"});
  waiting.wait();
  std::filesystem::create_directory(folder / "archive");

  retention_rule rule;
  rule.archive = folder / "archive";
  BOOST_CHECK_EQUAL(rt->retain(rule).erased, 0u); // None is 30 days old.
  rule.older_than = {};
  rule.tenant = "acme";
  const auto report = rt->retain(rule);
  BOOST_CHECK_EQUAL(report.erased, 2u); // With the scout, whose tenant it is.
  BOOST_CHECK_LE(report.bytes_after, report.bytes_before);
  BOOST_CHECK_THROW(rt->find(done.id()), failure);
  BOOST_CHECK(rt->result(other.id()).status == run_status::completed);

  rt->import_runs((folder / "archive") + "/" + done.id().str() + ".jsonl");
  BOOST_CHECK_EQUAL(rt->result(done.id()).output, "done");
  BOOST_CHECK(!rt->verify(done.id()).flaw);
  rt->approve(waiting.id(), {.by = "ana"});
  BOOST_CHECK(waiting.wait().status == run_status::completed);
}

BOOST_AUTO_TEST_CASE(by_size_the_oldest_go_first) {
  const auto rt = open("a.db");
  std::vector<run> runs;
  for (int n = 0; n < 5; ++n) {
    runs.push_back(
      rt->start("scout", std::string(100'000, static_cast<char>('a' + n))));
    runs.back().wait();
  }
  retention_rule rule;
  rule.older_than = {};
  rule.used_bytes_max = 1ULL << 30U;
  BOOST_CHECK_EQUAL(rt->retain(rule).erased, 0u);
  rule.used_bytes_max = 300'000;
  const auto report = rt->retain(rule);
  BOOST_CHECK_GE(report.erased, 1u);
  BOOST_CHECK_LE(report.bytes_after, 300'000u);
  BOOST_CHECK_THROW(rt->find(runs.front().id()), failure);
  BOOST_CHECK(rt->result(runs.back().id()).status == run_status::completed);
}

BOOST_AUTO_TEST_CASE(a_rule_that_makes_no_sense_erases_nothing) {
  const auto rt = open("a.db");
  rt->start("scout", "go").wait();
  retention_rule rule;
  rule.older_than = -std::chrono::seconds{1};
  BOOST_CHECK_THROW(static_cast<void>(rt->retain(rule)), failure);
  rule.older_than = {};
  rule.statuses = {run_status::running};
  BOOST_CHECK_THROW(static_cast<void>(rt->retain(rule)), failure);
  rule.statuses = {};
  rule.archive = folder / "none";
  BOOST_CHECK_THROW(static_cast<void>(rt->retain(rule)), failure);
  BOOST_CHECK_EQUAL(rt->list().size(), 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
