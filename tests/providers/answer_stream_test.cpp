#include <kestrion/messages/json_text.hpp>
#include <kestrion/tests/providers/wire_streams.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

/// The golden streams of all vendors, in every split, against the same answers
/// in one piece.
namespace kestrion::test {

namespace answer_stream_test {

struct golden {
  wire_vendor vendor;
  std::string name;
  std::string stream;
  std::string whole;
};

std::string text_in(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<golden> all_golden() {
  std::vector<golden> out;
  for (const auto& vendor : wire_vendors())
    for (const auto& entry :
         std::filesystem::directory_iterator{KESTRION_STREAMS}) {
      auto file = entry.path();
      const auto name = file.filename().string();
      if (!name.starts_with(vendor.name + "-") || file.extension() == ".json")
        continue;
      out.push_back({vendor, name, text_in(file),
                     text_in(file.replace_extension(".json"))});
    }
  return out;
}

/// Whether nothing of the answer is missing without these last bytes.
bool says_nothing(std::string_view rest) {
  return rest.find_first_not_of("\r\n") == std::string_view::npos
         || std::string_view{"\n\ndata: [DONE]\n\n"}.ends_with(rest);
}

std::string joined(const std::vector<model_delta>& deltas, delta_kind kind) {
  std::string out;
  for (const auto& d : deltas)
    if (d.kind == kind)
      out += d.text;
  return out;
}

/// The same of a finished reply.
std::string joined(const model_reply& reply, delta_kind kind) {
  std::vector<model_delta> deltas;
  show_whole(reply, [&](model_delta d) { deltas.push_back(std::move(d)); });
  return joined(deltas, kind);
}

} // namespace answer_stream_test

BOOST_AUTO_TEST_SUITE(answer_stream_test)

BOOST_AUTO_TEST_CASE(each_vendor_has_golden_streams) {
  std::map<std::string, int> count;
  for (const auto& g : all_golden()) {
    ++count[g.vendor.name];
    BOOST_TEST(!g.stream.empty());
    BOOST_TEST(!g.whole.empty(), g.name << " has no .json beside it");
  }
  for (const auto& vendor : wire_vendors())
    BOOST_TEST(count[vendor.name] >= 2);
}

BOOST_AUTO_TEST_CASE(a_stream_gives_what_the_answer_in_one_piece_gives) {
  for (const auto& g : all_golden()) {
    BOOST_TEST_CONTEXT(g.name) {
      auto whole_answer = stream_head();
      whole_answer.body = g.whole;
      const auto expected = reply_in(g.vendor.from_wire(whole_answer));
      const auto got = reply_in(read_stream(g.vendor, {g.stream}).outcome);
      BOOST_TEST((got == expected));
      BOOST_TEST(!got.parts.empty());
      BOOST_TEST(got.usage.output_tokens == expected.usage.output_tokens);
    }
  }
}

BOOST_AUTO_TEST_CASE(any_split_gives_the_same_reply_and_the_same_draft) {
  for (const auto& g : all_golden()) {
    const std::string_view text{g.stream};
    const auto whole = read_stream(g.vendor, {text});
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < text.size(); ++i)
      bytes.push_back(text.substr(i, 1));
    const auto by_byte = read_stream(g.vendor, bytes);
    BOOST_TEST((by_byte.outcome == whole.outcome), g.name);
    BOOST_TEST((by_byte.deltas == whole.deltas), g.name);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      const auto two =
        read_stream(g.vendor, {text.substr(0, cut), text.substr(cut)});
      BOOST_TEST_CONTEXT(g.name << " cut at " << cut) {
        BOOST_TEST((two.outcome == whole.outcome));
        BOOST_TEST((two.deltas == whole.deltas));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_early_is_a_retryable_io_failure) {
  for (const auto& g : all_golden()) {
    const std::string_view text{g.stream};
    const auto whole = read_stream(g.vendor, {text});
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      const auto part = read_stream(g.vendor, {text.substr(0, cut)});
      BOOST_TEST_CONTEXT(g.name << " cut after " << cut << " bytes") {
        BOOST_TEST(std::equal(
          part.deltas.begin(), part.deltas.end(), whole.deltas.begin(),
          whole.deltas.begin()
            + static_cast<std::ptrdiff_t>(part.deltas.size())));
        if (part.outcome == whole.outcome) {
          BOOST_TEST(says_nothing(text.substr(cut)));
          continue;
        }
        const auto& failure = failure_in(part.outcome);
        BOOST_TEST(failure.retryable);
        // A cut line of JSON is no JSON; a line is only known to be cut where
        // something has to follow it.
        BOOST_TEST((failure.error.code == errc::io
                    || (g.vendor.frames == framing::lines
                        && failure.error.code == errc::corrupt)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_draft_has_no_gap_and_says_what_the_reply_says) {
  for (const auto& g : all_golden()) {
    const auto whole = read_stream(g.vendor, {g.stream});
    const auto& reply = reply_in(whole.outcome);
    std::map<std::pair<delta_kind, std::size_t>, std::size_t> bytes;
    std::size_t blocks = 0;
    BOOST_TEST_CONTEXT(g.name) {
      for (const auto& d : whole.deltas) {
        BOOST_TEST(!d.text.empty());
        BOOST_TEST(d.index <= blocks); // Numbers are given in order.
        blocks = std::max(blocks, d.index + 1);
        auto& so_far = bytes[{d.kind, d.index}];
        BOOST_TEST(d.offset == so_far);
        so_far += d.text.size();
      }
      BOOST_TEST(!whole.deltas.empty());
      for (const auto kind :
           {delta_kind::text, delta_kind::reasoning, delta_kind::tool_name})
        BOOST_TEST(joined(whole.deltas, kind) == joined(reply, kind));
    }
  }
}

BOOST_AUTO_TEST_CASE(arguments_in_a_draft_mean_what_those_of_the_reply_mean) {
  for (const auto& g : all_golden()) {
    const auto whole = read_stream(g.vendor, {g.stream});
    std::map<std::size_t, std::string> drafted;
    for (const auto& d : whole.deltas) {
      if (d.kind == delta_kind::tool_name)
        drafted[d.index];
      if (d.kind == delta_kind::tool_arguments)
        drafted[d.index] += d.text;
    }
    std::vector<std::string> said;
    for (const auto& p : reply_in(whole.outcome).parts)
      if (const auto* call = std::get_if<tool_call_part>(&p))
        said.push_back(call->arguments);
    BOOST_REQUIRE(drafted.size() == said.size());
    auto next = said.begin();
    for (const auto& [index, text] : drafted) {
      const auto draft = parse_json(text.empty() ? "{}" : text, "a draft");
      BOOST_TEST((draft.value() == parse_json(*next++, "a call").value()),
                 g.name << ": " << text);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_error_in_a_stream_has_the_meaning_of_its_type) {
  struct row {
    const char* vendor;
    const char* text;
    errc code;
    bool retryable;
  };
  const row rows[] = {
    {"anthropic",
     "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
     "\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
     errc::unavailable, true},
    {"anthropic",
     "data: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\","
     "\"message\":\"m\",\"details\":{\"error_code\":"
     "\"enforced_spend_limit_reached\"}}}\n\n",
     errc::quota_exhausted, false},
    {"anthropic",
     "data: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\"}}"
     "\n\n",
     errc::invalid_argument, false},
    {"openai",
     "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\","
     "\"code\":null}}\n\n",
     errc::unavailable, true},
    {"openai", "data: {\"error\":{\"code\":\"rate_limit_exceeded\"}}\n\n",
     errc::rate_limited, true},
    {"openai", "data: {\"error\":{\"code\":\"insufficient_quota\"}}\n\n",
     errc::quota_exhausted, false},
    {"responses",
     "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\","
     "\"message\":\"m\",\"param\":null}\n\n",
     errc::unavailable, true},
    {"responses",
     "data: {\"type\":\"error\",\"error\":{\"code\":\"rate_limit_exceeded\"}}"
     "\n\n",
     errc::rate_limited, true},
    {"responses",
     "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\","
     "\"error\":{\"code\":\"invalid_prompt\",\"message\":\"m\"}}}\n\n",
     errc::invalid_argument, false},
    {"responses",
     "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\","
     "\"error\":{\"code\":\"image_too_large\",\"message\":\"m\"}}}\n\n",
     errc::invalid_argument, false},
    {"ollama", "{\"error\":\"llama runner process has terminated\"}\n",
     errc::unavailable, true},
  };
  for (const auto& vendor : wire_vendors())
    for (const auto& r : rows) {
      if (vendor.name != r.vendor)
        continue;
      // After a good start, which must not change it.
      const auto begin = vendor.name == "ollama"
                           ? "{\"message\":{\"content\":\"x\"}}\n"
                           : "data: {\"type\":\"ping\"}\n\n";
      const auto out = read_stream(vendor, {begin, r.text});
      BOOST_TEST_CONTEXT(r.vendor << " " << r.text) {
        const auto& failure = failure_in(out.outcome);
        BOOST_TEST(to_string(failure.error.code) == to_string(r.code));
        BOOST_TEST(failure.retryable == r.retryable);
        BOOST_TEST(failure.http_status == 200);
      }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_json_ends_a_stream_and_may_be_tried_again) {
  for (const auto& vendor : wire_vendors())
    for (const auto* text : {"data: <html>\n\n", "data: {\"a\":\n\n"}) {
      const std::string_view all{text};
      const auto out = read_stream(
        vendor, {vendor.frames == framing::lines ? all.substr(6) : all});
      const auto& failure = failure_in(out.outcome);
      BOOST_TEST((failure.error.code == errc::corrupt));
      BOOST_TEST(failure.retryable);
    }
}

BOOST_AUTO_TEST_CASE(documents_of_any_shape_are_no_crash) {
  const std::string shapes[] = {
    "null",
    "1",
    "[]",
    "{}",
    "\"x\"",
    R"({"type":"content_block_delta"})",
    R"({"type":"content_block_delta","index":-1,"delta":{"type":"text_delta"}})",
    R"({"type":"content_block_start","index":9e99,"content_block":[]})",
    R"({"type":"message_delta","delta":1,"usage":[]})",
    R"({"choices":{}})",
    R"({"choices":[1,{"delta":2},{"delta":{}}]})",
    R"({"choices":[{"delta":{"tool_calls":[1,{"index":"x"},{"function":7}]}}]})",
    R"({"choices":[{"delta":{"content":{"a":1},"role":["x"]}}]})",
    R"({"type":"response.output_item.done","item":3})",
    R"({"type":"response.reasoning_summary_text.delta","delta":{}})",
    R"({"message":{"content":[],"tool_calls":[1,{"function":[]}]}})"};
  for (const auto& vendor : wire_vendors())
    for (const auto& shape : shapes) {
      const auto text = vendor.frames == framing::lines
                          ? shape + "\n"
                          : "data: " + shape + "\n\n";
      const auto out = read_stream(vendor, {text});
      BOOST_TEST(failure_in(out.outcome).error.detail.size() > 0u);
    }
}

BOOST_AUTO_TEST_CASE(arguments_that_are_cut_are_kept_as_the_model_wrote_them) {
  const std::string events[] = {
    R"({"type":"content_block_start","index":0,"content_block":{"type":)"
    R"("tool_use","id":"t","name":"f","input":{}}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":)"
    R"("input_json_delta","partial_json":"{\"a\": [1, "}})",
    R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"}})",
    R"({"type":"message_stop"})"};
  std::string text;
  for (const auto& e : events)
    text += "data: " + e + "\n\n";
  const auto out = read_stream(wire_vendors().front(), {text});
  const auto& reply = reply_in(out.outcome);
  BOOST_TEST(
    (reply.parts
     == std::vector<part>{tool_call_part{"", "t", "f", "{\"a\": [1, "}}));
  BOOST_TEST((reply.stop == stop_reason::max_tokens));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
