#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/anthropic_wire.hpp>
#include <kestrion/providers/models/ollama_wire.hpp>
#include <kestrion/providers/models/openai_wire.hpp>
#include <kestrion/providers/models/responses_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <set>
#include <string>
#include <vector>

/// A conversation that models of several vendors had, sent to each of them.
namespace kestrion::test {

namespace translation_test {

struct recipient {
  std::string vendor; ///< Whose raw blocks it gets.
  std::function<result<std::string>(const model_request&)> to_wire;
};

std::vector<recipient> recipients() {
  const auto other = "http://127.0.0.1:1";
  const auto claude = [](const std::string& url) {
    return [=](const model_request& r) {
      return anthropic_wire::to_wire(
        r, {.model = "claude-sonnet-4-6", .base_url = url}, delivery::whole);
    };
  };
  const auto gpt = [](const std::string& url) {
    return [=](const model_request& r) {
      return openai_wire::to_wire(r, {.model = "gpt-6-sol", .base_url = url},
                                  delivery::whole);
    };
  };
  const auto responses = [](const std::string& url) {
    return [=](const model_request& r) {
      return responses_wire::to_wire(r, {.model = "gpt-6-sol", .base_url = url},
                                     delivery::whole);
    };
  };
  return {{"anthropic", claude("")},
          {std::string{"anthropic@"} + other, claude(other)},
          {"openai", gpt("")},
          {std::string{"openai@"} + other, gpt(other)},
          {"openai-responses", responses("")},
          {std::string{"openai-responses@"} + other, responses(other)},
          {"ollama", [](const model_request& r) {
             return ollama_wire::to_wire(r, {.model = "qwen3"},
                                         delivery::whole);
           }}};
}

/// Each vendor's model thought, said something unknown and called a tool.
conversation talk_of_all() {
  conversation out{said(role::user, {text_part{"Go on."}})};
  int n = 0;
  for (const auto& each : recipients()) {
    const auto i = std::to_string(n++);
    const auto raw = R"({"type":"mark","of":"<)" + each.vendor + ">\"}";
    // As long as ids get that proxies make up.
    const auto id = "toolu.of|" + i + std::string(80, 'x');
    out.push_back(
      said(role::assistant, {reasoning_part{each.vendor, "hm", raw},
                             opaque_part{each.vendor, raw},
                             tool_call_part{"c1." + i, id, "scale", "{}"}}));
    out.push_back(said(
      role::tool, {tool_result_part{"c1." + i, id, "scale", "done", false}}));
  }
  return out;
}

/// All strings that stand under one of these names, wherever.
std::vector<std::string> strings_under(const boost::json::value& json,
                                       const std::set<std::string>& names) {
  std::vector<std::string> out;
  const auto collect = [&](const boost::json::value& v) {
    auto more = strings_under(v, names);
    out.insert(out.end(), more.begin(), more.end());
  };
  if (const auto* object = json.if_object())
    for (const auto& [name, value] : *object)
      if (value.is_string() && names.contains(std::string{name}))
        out.emplace_back(value.get_string());
      else
        collect(value);
  else if (const auto* array = json.if_array())
    for (const auto& value : *array)
      collect(value);
  return out;
}

} // namespace translation_test

BOOST_AUTO_TEST_SUITE(translation_test)

BOOST_AUTO_TEST_CASE(each_gets_what_its_own_models_thought_and_nothing_else) {
  const auto request = wire_request(talk_of_all());
  for (const auto& to : recipients())
    BOOST_TEST_CONTEXT(to.vendor) {
      const auto body = to.to_wire(request).value();
      for (const auto& from : recipients())
        BOOST_TEST((body.find("<" + from.vendor + ">") != std::string::npos)
                   == (from.vendor == to.vendor));
    }
}

BOOST_AUTO_TEST_CASE(thoughts_behind_a_summary_are_kept_from_who_binds_them) {
  auto talk = talk_of_all();
  const auto first = talk;
  talk.insert(talk.end(), first.begin(), first.end());
  auto request = wire_request(talk);
  request.rebased = first.size();
  for (const auto& to : recipients())
    BOOST_TEST_CONTEXT(to.vendor) {
      const auto body = to.to_wire(request).value();
      const auto mark = "<" + to.vendor + ">";
      std::size_t marks = 0;
      for (auto at = body.find(mark); at != std::string::npos;
           at = body.find(mark, at + 1))
        ++marks;
      // Two thoughts and two blocks of a kind that we do not know.
      const auto expected = to.vendor.starts_with("anthropic") ? 3u
                            : to.vendor.starts_with("openai-responses")
                              ? 4u
                              : marks; // Members of a message, once in each.
      BOOST_TEST(marks == expected);
      BOOST_TEST(marks >= 2u);
    }
}

BOOST_AUTO_TEST_CASE(ids_of_other_vendors_fit_and_stay_pairs) {
  const auto request = wire_request(talk_of_all());
  const auto calls = recipients().size();
  for (const auto& to : recipients())
    BOOST_TEST_CONTEXT(to.vendor) {
      const auto json = parse_json(to.to_wire(request).value(), "it").value();
      const auto made = strings_under(json, {"id"});
      const auto answered =
        strings_under(json, {"tool_use_id", "tool_call_id"});
      if (to.vendor.starts_with("openai-responses")) {
        const auto all = strings_under(json, {"call_id"});
        BOOST_TEST(all.size() == 2 * calls);
        for (std::size_t i = 0; i < all.size(); i += 2) {
          BOOST_TEST(all[i] == all[i + 1]);
          BOOST_TEST(all[i].size() <= 64u);
        }
        continue;
      }
      BOOST_TEST(made.size() == calls);
      BOOST_TEST((std::set(made.begin(), made.end()).size() == calls));
      BOOST_TEST(made == answered, boost::test_tools::per_element());
      for (const auto& id : made)
        if (to.vendor.starts_with("openai"))
          BOOST_TEST(id.size() <= 40u);
        else if (to.vendor.starts_with("anthropic"))
          BOOST_TEST(id.find_first_of(".|") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_id_that_fits_stays_as_it_is) {
  const auto sent = [](const std::string& id) {
    const auto body =
      openai_wire::to_wire(wire_request(tool_round(id, "call_2")),
                           {.model = "gpt-6-sol"}, delivery::whole)
        .value();
    return strings_under(parse_json(body, "it").value(), {"id"}).at(0);
  };
  BOOST_TEST(sent(std::string(40, 'x')) == std::string(40, 'x'));
  BOOST_TEST(sent(std::string(41, 'x')).size() == 29u);
  BOOST_TEST(sent(std::string(41, 'x')) == sent(std::string(41, 'x')));
  BOOST_TEST(sent(std::string(41, 'x')) != sent(std::string(41, 'y')));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
