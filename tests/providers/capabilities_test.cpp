#include <kestrion/providers/models/capabilities.hpp>

#include <boost/test/unit_test.hpp>

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
  const auto ok = check_options(v, model, {options, version, thinking});
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
  const auto refused = check_options(vendor::anthropic, "claude-opus-5",
                                     {options, new_version, {}});
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

BOOST_AUTO_TEST_CASE(an_answer_needs_room) {
  model_options options;
  options.output_tokens_max = 0;
  BOOST_TEST((checked(vendor::ollama, "m", options) == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion
