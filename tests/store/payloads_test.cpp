#include <kestrion/messages/digest.hpp>
#include <kestrion/store/payloads.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

using namespace kestrion;

namespace payloads_test {

constexpr std::size_t limit = 8;

/// Keeps what was taken out, as a store does.
struct blobs {
  std::map<std::string, std::string, std::less<>> kept;

  std::string take(std::string_view json) {
    auto split = take_payloads_out(json, limit);
    for (const auto& each : split.payloads) {
      BOOST_CHECK_EQUAL(each.hash, sha256_hex(each.bytes));
      kept.emplace(each.hash, each.bytes);
    }
    return std::move(split.text);
  }

  result<std::string> put(std::string_view text) const {
    return put_payloads_in(
      text, [&](std::string_view hash) -> result<std::string> {
        if (const auto i = kept.find(hash); i != kept.end())
          return i->second;
        return error{errc::not_found, "no blob " + std::string{hash}};
      });
  }
};

} // namespace payloads_test

BOOST_AUTO_TEST_SUITE(payloads_test)

BOOST_AUTO_TEST_CASE(long_strings_are_replaced_by_references) {
  blobs given;
  const std::string json =
    R"({"call":"c1.0","content":"a \"long\" text","more":["short","12345678"]})";
  const auto hash = sha256_hex(R"(a \"long\" text)");
  const auto text = given.take(json);
  BOOST_CHECK_EQUAL(text, R"({"call":"c1.0","content":{"$blob":")" + hash
                            + R"(","bytes":15},"more":["short","12345678"]})");
  BOOST_CHECK_EQUAL(given.put(text).value(), json);
}

BOOST_AUTO_TEST_CASE(equal_strings_are_kept_once) {
  blobs given;
  const std::string json = R"(["a long text","a long text","another text"])";
  BOOST_CHECK_EQUAL(given.put(given.take(json)).value(), json);
  BOOST_CHECK_EQUAL(given.kept.size(), 2u);
}

BOOST_AUTO_TEST_CASE(names_of_members_stay) {
  blobs given;
  const std::string json = R"({"a very long name":"x"})";
  BOOST_CHECK_EQUAL(given.take(json), json);
}

BOOST_AUTO_TEST_CASE(what_looks_like_a_reference_comes_back_as_it_was) {
  for (const std::string json :
       {R"({"$blob":"0123","bytes":4})",
        R"({"$$blob":1,"b":{"$":"a long text"}})",
        R"({"a":"{\"$blob\":\"0123\",\"bytes\":4}"})", R"({"$)", R"({"$$)"}) {
    blobs given;
    BOOST_CHECK_EQUAL(given.put(given.take(json)).value(), json);
  }
}

BOOST_AUTO_TEST_CASE(any_bytes_come_back_as_they_were) {
  const char* given_seed = std::getenv("KESTRION_SEED");
  const auto seed = given_seed ? std::strtoull(given_seed, nullptr, 10)
                               : std::random_device{}();
  std::cout << "payloads_test: KESTRION_SEED=" << seed << std::endl;
  std::mt19937_64 random{seed};
  const std::string_view pieces[] = {
    "{\"$", "blob\":\"", "\",\"bytes\":", "\"", "\\", "$", "{", "}",
    ":",    "12",        "a long text",   "\n"};
  for (int n = 0; n < 20'000; ++n) {
    blobs given;
    std::string bytes;
    for (auto i = random() % 24; i > 0; --i)
      bytes += pieces[random() % std::size(pieces)];
    BOOST_REQUIRE_EQUAL(given.put(given.take(bytes)).value(), bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_missing_or_changed_payload_is_an_error) {
  blobs given;
  const auto text = given.take(R"({"content":"a long text"})");
  given.kept.begin()->second += "!";
  BOOST_CHECK(given.put(text).error().code == errc::corrupt);
  given.kept.clear();
  BOOST_CHECK(given.put(text).error().code == errc::not_found);
  const auto begin = text.find("{\"$") + 3;
  for (auto cut = begin; cut < text.size() - 1; ++cut)
    BOOST_CHECK(given.put(text.substr(0, cut)).error().code == errc::corrupt);
}

BOOST_AUTO_TEST_SUITE_END()
