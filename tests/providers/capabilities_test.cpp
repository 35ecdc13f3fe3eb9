#include <kestrion/providers/models/capabilities.hpp>

#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>

namespace kestrion {

namespace capabilities_test {

constexpr auto old_version = "2023-06-01";
constexpr auto new_version = "2026-10-21";

model_options with(std::optional<double> temperature,
                   std::optional<std::string> effort = {}) {
  model_options options;
  options.temperature = temperature;
  options.effort = std::move(effort);
  return options;
}

errc checked(vendor v, std::string_view model, const model_options& options,
             std::string_view version = {}, std::string_view thinking = {}) {
  const auto ok = check_options(capability_table{}.find(v, model), model,
                                {options, version, thinking});
  return ok ? errc::ok : ok.error().code;
}

} // namespace capabilities_test

BOOST_AUTO_TEST_SUITE(capabilities_test)

BOOST_AUTO_TEST_CASE(claude_takes_a_temperature_under_the_old_version_only) {
  const auto v = vendor::anthropic;
  BOOST_TEST(
    (checked(v, "claude-sonnet-4-6", with(0.5), old_version) == errc::ok));
  BOOST_TEST((checked(v, "claude-sonnet-4-6", with(0.5), new_version)
              == errc::unsupported));
  BOOST_TEST(
    (checked(v, "claude-sonnet-4-6", with({}), new_version) == errc::ok));
}

BOOST_AUTO_TEST_CASE(windows_are_known_where_vendors_publish_them) {
  const auto window = [](vendor v, const char* model) {
    return capability_table{}.find(v, model).context_window.value_or(0);
  };
  BOOST_TEST(window(vendor::anthropic, "claude-opus-5-5") == 1'000'000);
  BOOST_TEST(window(vendor::anthropic, "claude-sonnet-4-6") == 1'000'000);
  BOOST_TEST(window(vendor::anthropic, "claude-sonnet-4-5") == 200'000);
  BOOST_TEST(window(vendor::anthropic, "claude-haiku-4-5") == 200'000);
  BOOST_TEST(window(vendor::openai, "gpt-6-sol") == 272'000);
  BOOST_TEST(window(vendor::openai, "gpt-4o-mini") == 128'000);
  BOOST_TEST(window(vendor::openai, "somebody-elses") == 0);
  BOOST_TEST(window(vendor::ollama, "qwen3") == 0); // As its server is set up.
  const auto own =
    capability_table{}
      .read(R"({"models":[{"vendor":"ollama","name_prefix":"qwen3",)"
            R"("context_window":32768}]})")
      .value();
  BOOST_TEST(own.find(vendor::ollama, "qwen3").context_window.value()
             == 32'768);
}

BOOST_AUTO_TEST_CASE(the_newest_claudes_do_not_stop_thinking) {
  const auto check = [](const char* model, const char* thinking) {
    return checked(vendor::anthropic, model, with({}), new_version, thinking);
  };
  BOOST_TEST((check("claude-opus-5-5", "adaptive") == errc::ok));
  BOOST_TEST((check("claude-opus-5-5", "disabled") == errc::unsupported));
  BOOST_TEST((check("claude-sonnet-5-5", "disabled") == errc::unsupported));
  BOOST_TEST((check("claude-sonnet-5-5", "between_tools") == errc::ok));
  BOOST_TEST((check("claude-sonnet-5", "disabled") == errc::ok));
  BOOST_TEST((check("claude-sonnet-5", "between_tools") == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(gpt_5_and_6_take_a_temperature_without_effort_only) {
  for (const auto* model : {"gpt-5.4", "gpt-6-sol"}) {
    BOOST_TEST((checked(vendor::openai, model, with(1)) == errc::unsupported));
    BOOST_TEST(
      (checked(vendor::openai, model, with(1, "low")) == errc::unsupported));
    BOOST_TEST((checked(vendor::openai, model, with(1, "none")) == errc::ok));
  }
  BOOST_TEST((checked(vendor::openai, "gpt-4o", with(1)) == errc::ok));
  BOOST_TEST(
    (checked(vendor::openai, "gpt-4o", with({}, "low")) == errc::unsupported));
  BOOST_TEST((checked(vendor::openai, "o3", with(1)) == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(an_unknown_effort_is_refused_with_what_there_is) {
  const auto options = with({}, "extreme");
  const auto refused =
    check_options(capability_table{}.find(vendor::anthropic, "claude-opus-5"),
                  "claude-opus-5", {options, new_version, {}});
  BOOST_TEST(
    refused.error().detail
    == "model claude-opus-5 does not take effort \"extreme\"; expected "
       "one of: low medium high xhigh max");
}

BOOST_AUTO_TEST_CASE(a_model_that_nobody_knows_may_all) {
  BOOST_TEST(
    (checked(vendor::openai, "my-own", with(2, "extreme")) == errc::ok));
  BOOST_TEST(
    (checked(vendor::anthropic, "my-own", with(2, "x"), old_version, "whatever")
     == errc::ok));
}

// -- the file -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_row_of_a_file_is_all_there_is_to_know) {
  const auto table = capability_table{}
                       .read(R"({"models":[
    {"vendor":"openai","name_prefix":"gpt-6-mine","temperature":"no"},
    {"vendor":"openai","name_prefix":"gpt-6","temperature":"yes",
     "efforts":["low"],"tools":false,"images":false,"output":"tool",
     "forced_tools":true,"documents":false},
    {"vendor":"anthropic","name_prefix":"claude-next","thinking":[]}]})")
                       .value();
  const auto check = [&](vendor v, const char* model,
                         const requested_options& o) {
    const auto ok = check_options(table.find(v, model), model, o);
    return ok ? "" : ok.error().detail;
  };
  const auto warm = with(1);
  BOOST_TEST(check(vendor::openai, "gpt-6-mine", {warm})
             == "model gpt-6-mine takes no temperature");
  BOOST_TEST(check(vendor::openai, "gpt-6-sol", {warm}) == "");
  const auto high = with({}, "high");
  BOOST_TEST(check(vendor::openai, "gpt-6-mine", {high}) == "");
  BOOST_TEST(check(vendor::openai, "gpt-6-sol", {high})
             == "model gpt-6-sol does not take effort \"high\"; expected one "
                "of: low");
  const model_options plain;
  BOOST_TEST(check(vendor::openai, "gpt-6-sol", {plain, {}, {}, true})
             == "model gpt-6-sol takes no tools");
  BOOST_TEST(check(vendor::openai, "gpt-6-sol", {plain, {}, {}, false, true})
             == "model gpt-6-sol takes no images");
  BOOST_TEST(
    check(vendor::openai, "gpt-6-sol", {plain, {}, {}, false, false, true})
    == "model gpt-6-sol takes no documents but plain text");
  BOOST_TEST(check(vendor::anthropic, "claude-next", {plain, {}, "adaptive"})
             == "model claude-next takes no thinking");
  BOOST_TEST(
    (table.find(vendor::openai, "gpt-6-sol").output == output_mode::tool));
  BOOST_TEST(table.find(vendor::openai, "gpt-6-sol").forced_tools);
  BOOST_TEST(!may_reason(capability_table{}.find(vendor::openai, "gpt-4o")));
  // What the file does not name is as it was.
  BOOST_TEST(check(vendor::openai, "o3", {warm})
             == "model o3 takes no temperature");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_wrong_is_named) {
  const auto why = [](const char* json) {
    return capability_table{}.read(json).error().detail;
  };
  BOOST_TEST(why("{").starts_with("the capability file is no JSON at byte 1"));
  BOOST_TEST(why("{}")
             == "the capability file: the document lacks the member "
                "\"models\"");
  BOOST_TEST(why(R"({"models":[{"vendor":"openai"}]})")
             == "the capability file: \"models[0]\" lacks the member "
                "\"name_prefix\"");
  BOOST_TEST(why(R"({"models":[{"vendor":"acme","name_prefix":""}]})")
             == "the capability file: \"models[0].vendor\" is \"acme\", "
                "which is none of the known names");
  BOOST_TEST(
    why(R"({"models":[{"vendor":"openai","name_prefix":"m","tool":true}]})")
    == "the capability file: \"models[0]\" has an unknown member \"tool\"");
  BOOST_TEST(
    (capability_table{}.read("[]").error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_file_is_read_from_disk) {
  const test::temp_folder folder;
  const auto path = folder / "models.json";
  std::ofstream{path} << R"({"models":[{"vendor":"ollama",)"
                         R"("name_prefix":"tiny","tools":false}]})";
  const auto table = capability_table{}.read_file(path).value();
  BOOST_TEST(!table.find(vendor::ollama, "tiny-1").tools);
  const auto none = capability_table{}.read_file(path + ".none");
  BOOST_TEST((none.error().code == errc::io));
  BOOST_TEST(none.error().detail
             == "the capability file \"" + path + ".none\" cannot be read");
}

BOOST_AUTO_TEST_CASE(an_answer_needs_room) {
  model_options options;
  options.output_tokens_max = 0;
  BOOST_TEST((checked(vendor::ollama, "m", options) == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion
