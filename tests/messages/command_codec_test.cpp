#include <kestrion/messages/command.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace kestrion;

namespace command_codec_test {

std::string again(const command& c) {
  auto text = encode_command(c).value();
  const auto back = decode_command(text).value();
  BOOST_TEST(back.index() == c.index());
  BOOST_TEST(encode_command(back).value() == text);
  return text;
}

std::string why_not(std::string_view text) {
  const auto decoded = decode_command(text);
  BOOST_REQUIRE(decoded.has_error());
  BOOST_TEST((decoded.error().code == errc::invalid_argument));
  return decoded.error().detail;
}

} // namespace command_codec_test

/// Commands as they wait in an inbox.
BOOST_AUTO_TEST_SUITE(command_codec_test)

BOOST_AUTO_TEST_CASE(what_a_person_says_reads_back_the_same) {
  BOOST_TEST(again(approve_call{{.call = "c1.0",
                                 .by = "ana",
                                 .role = "engineer",
                                 .arguments = R"({"n":1})"},
                                {}})
             == R"({"type":"approve","decision":{"call":"c1.0","tool":"",)"
                R"("by":"ana","role":"engineer","digest":"",)"
                R"("arguments":"{\"n\":1}"}})");
  BOOST_TEST(again(deny_call{{.by = "ben", .reason = "no \xC3\xA4"}, {}})
             == R"({"type":"deny","decision":{"call":"","tool":"","by":"ben",)"
                "\"role\":\"\",\"digest\":\"\",\"reason\":\"no \xC3\xA4\"}}");
  BOOST_TEST(
    again(resolve_doubt{
      {.call = "c1.0", .answer = doubt_answer::run_again, .by = "ana"}, {}})
    == R"({"type":"resolve","decision":{"call":"c1.0",)"
       R"("answer":"run_again","by":"ana","content":""}})");
  BOOST_TEST(again(cancel_run{"ana", "enough", {}})
             == R"({"type":"cancel","by":"ana","reason":"enough"})");
  BOOST_TEST(again(unpark_run{"ana", {}}) == R"({"type":"unpark","by":"ana"})");
}

BOOST_AUTO_TEST_CASE(what_only_the_runs_own_process_says_is_not_written) {
  for (const auto& c :
       {command{start_run{}}, command{model_done{}}, command{tool_done{}},
        command{tick{}}, command{recover_run{}}, command{park_run{}}})
    BOOST_TEST((encode_command(c).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(what_is_no_command_is_named) {
  BOOST_TEST(why_not("{").starts_with("the command is no JSON"));
  BOOST_TEST(why_not("[]")
             == "\"command\" is []; expected an object with a type");
  BOOST_TEST(why_not(R"({"type":"dance"})").find("dance") != std::string::npos);
  BOOST_TEST(why_not(R"({"type":"tick"})").find("tick") != std::string::npos);
  BOOST_TEST(why_not(R"({"type":"cancel","by":"ana"})").find("reason")
             != std::string::npos);
  BOOST_TEST(why_not(R"({"type":"cancel","by":1,"reason":""})").find("by")
             != std::string::npos);
  BOOST_TEST(why_not(R"({"type":"unpark","by":"a","now":5})").find("now")
             != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
