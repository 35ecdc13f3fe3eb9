#include "event_samples.hpp"

#include <kestrion/messages/digest.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <random>
#include <set>

using namespace kestrion;

namespace event_codec_test {

/// One line of the golden file: the type and the data, as the store keeps them.
std::string line_of(const event& e) {
  const auto encoded = encode(e, timestamp{});
  std::string out = R"({"type":)";
  append_json(out, encoded.type);
  return out + R"(,"data":)" + encoded.data + "}";
}

std::vector<std::string> golden_lines() {
  std::ifstream file{KESTRION_GOLDEN "/events.jsonl"};
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);)
    out.push_back(line);
  BOOST_TEST_REQUIRE(!out.empty());
  return out;
}

result<event> decode_line(const std::string& line) {
  const auto json = parse_json(line, "the line").value();
  const auto& type = json.at("type").as_string();
  return decode_event({type.data(), type.size()},
                      boost::json::serialize(json.at("data")));
}

/// The sentence about why this is no event.
std::string why_not(std::string_view type, std::string_view data) {
  const auto out = decode_event(type, data);
  BOOST_TEST_REQUIRE(!out, type << ": " << data);
  BOOST_TEST((out.error().code == errc::corrupt));
  return out.error().detail;
}

} // namespace event_codec_test

BOOST_AUTO_TEST_SUITE(event_codec_test)

BOOST_AUTO_TEST_CASE(every_event_reads_back_as_itself) {
  for (const auto& e : sample::every_event()) {
    const auto encoded = encode(e, timestamp{duration{42}});
    BOOST_TEST_CONTEXT(encoded.type << " " << encoded.data) {
      BOOST_TEST(encoded.type == tag_of(e));
      BOOST_TEST((encoded.at == timestamp{duration{42}}));
      const auto read = decode_event(encoded.type, encoded.data);
      BOOST_TEST_REQUIRE(read.has_value());
      BOOST_TEST((*read == e));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_two_events_share_a_tag) {
  std::set<std::string_view> tags;
  for (const auto& e : sample::every_event())
    tags.insert(tag_of(e));
  BOOST_TEST(tags.size() == std::variant_size_v<event>);
}

// -- logs of earlier versions -------------------------------------------------

// The file may only grow. If this fails, an old line was changed; what such a
// line means to a log in the field can't be taken back. A new event appends its
// lines (the test below prints them) and a row here.
BOOST_AUTO_TEST_CASE(the_golden_file_only_grows) {
  const std::pair<std::size_t, const char*> digests[] = {
    {38, "7a8b230130f99eb37499d6bcce937349e2521e5800d172e2e1002f1fc5f3ef01"},
    {44, "33bdc412a874cd72aac60f59ed5e1b5469a31afaa476d94fffb503371e0e7963"},
    {52, "b39fd25372c6ea447d542c3d87d28a1298b12876dd15de57a3d57d5ebef39ab7"},
    {53, "f5b12b3c55c34562d1c9ceb5c0d14c46e835c66bf12e4e9f85e84734a47dcdd1"},
    {55, "09bda4a816207254ff6713415941fcf4b365abc2d088d45021b2d50371cabe1e"},
    {56, "e3dda06c719ae0491ac6b6da3c921697cab8313b2c169de80c7db4d28d5223a5"},
    {62, "edf4dbba8a7776d84608e6a3253722ca19292665dac72ab169eb5d225bd7b6e9"},
    {67, "846ee4acf22bcf09dc89b64ed8886e01ab886a835fb17d2c55154486d5be7969"},
    {75, "63a1e8c8e0d73db7324acd3bc23a7cecbcf5f31649635f93881029ba23bbff1b"},
    {82, "eb354910a0cafd15e482e1854214f0e8489caa6dfe486728d77bd519ebda61c4"},
  };
  const auto lines = golden_lines();
  for (const auto& [count, digest] : digests) {
    BOOST_TEST_REQUIRE(lines.size() >= count);
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += lines[i] + '\n';
    BOOST_TEST(sha256_hex(text) == digest);
  }
}

BOOST_AUTO_TEST_CASE(every_golden_line_still_reads_and_writes_the_same) {
  for (const auto& line : golden_lines()) {
    const auto read = decode_line(line);
    BOOST_TEST_REQUIRE(read.has_value(), line);
    BOOST_TEST(line_of(*read) == line);
  }
}

BOOST_AUTO_TEST_CASE(every_event_has_golden_lines) {
  std::set<std::string> golden;
  for (const auto& line : golden_lines())
    golden.insert(line);
  for (const auto& e : sample::every_event())
    BOOST_TEST(golden.contains(line_of(e)), "not in events.jsonl:\n"
                                              << line_of(e));
}

// -- bad input ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_unknown_type_is_named) {
  BOOST_TEST(why_not("run_exploded", "{}")
             == "the event type \"run_exploded\" is not known");
  BOOST_TEST(why_not("run_started/2", "{}")
             == "the event type \"run_started/2\" is not known");
  BOOST_TEST(why_not("", "{}") == "the event type \"\" is not known");
  BOOST_TEST(why_not(std::string(9'999, 'x'), "{}").size() < 200u);
}

BOOST_AUTO_TEST_CASE(the_member_that_is_bad_is_named) {
  BOOST_TEST(why_not("run_failed", R"({"code":"io"})")
             == "run_failed: the document lacks the member \"reason\"");
  BOOST_TEST(why_not("run_failed", R"({"code":"io","reason":7})")
             == "run_failed: \"reason\" is 7; expected a string");
  BOOST_TEST(why_not("run_completed", R"({"text":"x"})")
             == "run_completed: the document has an unknown member \"text\"");
  BOOST_TEST(why_not("tool_call_failed",
                     R"({"call":"c1.0","reason":"bored","detail":"",)"
                     R"("duration":0})")
             == "tool_call_failed: \"reason\" is \"bored\", which is none of "
                "the known names");
  BOOST_TEST(why_not("message_received",
                     R"({"message":{"role":"user","parts":[{"type":"song"}]}})")
             == "message_received: \"message.parts[0].type\" is \"song\", "
                "which is none of the known names");
  BOOST_TEST(
    why_not("message_received", R"({"message":{"role":"user","parts":["hi"]}})")
    == "message_received: \"message.parts[0]\" is \"hi\"; expected "
       "an object with a type");
}

BOOST_AUTO_TEST_CASE(data_that_is_no_json_object_is_refused) {
  BOOST_TEST(why_not("run_completed", "")
             == "the event is no JSON at byte 0: incomplete JSON");
  BOOST_TEST(why_not("run_completed", "[]")
             == "run_completed: the document is []; expected an object");
}

BOOST_AUTO_TEST_CASE(a_cut_event_is_always_refused) {
  for (const auto& e : sample::every_event()) {
    const auto encoded = encode(e, timestamp{});
    for (std::size_t n = 0; n < encoded.data.size(); ++n)
      BOOST_TEST_REQUIRE(!decode_event(encoded.type, encoded.data.substr(0, n)),
                         encoded.type << " up to " << n);
  }
}

BOOST_AUTO_TEST_CASE(a_broken_byte_is_refused_or_another_event_never_a_crash) {
  const auto seed = std::random_device{}();
  std::mt19937 rng{seed};
  const auto events = sample::every_event();
  for (int i = 0; i < 5'000; ++i) {
    auto encoded = encode(events[rng() % events.size()], timestamp{});
    encoded.data[rng() % encoded.data.size()] = static_cast<char>(rng());
    if (const auto read = decode_event(encoded.type, encoded.data)) {
      const auto again = encode(*read, timestamp{});
      BOOST_TEST_REQUIRE(
        (decode_event(again.type, again.data).value() == *read),
        "seed " << seed);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
