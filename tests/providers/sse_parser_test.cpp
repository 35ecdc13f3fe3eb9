#include <kestrion/providers/http/sse_parser.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

namespace kestrion::test {

namespace sse_parser_test {

struct seen_event {
  std::string type;
  std::string data;
  std::string id = {};
  bool operator==(const seen_event&) const = default;
};

std::ostream& operator<<(std::ostream& out, const seen_event& e) {
  return out << '{' << e.type << '|' << e.data << '|' << e.id << '}';
}

using seen = std::vector<seen_event>;

struct reader {
  sse_parser parser{};
  seen events{};

  result<void> feed(std::string_view bytes) {
    return parser.feed(bytes, [this](const sse_event& e) {
      events.push_back(
        {std::string{e.type}, std::string{e.data}, std::string{e.id}});
    });
  }
};

seen read(std::string_view text) {
  reader r;
  r.feed(text).value();
  return r.events;
}

void check(std::string_view text, const seen& expected) {
  const auto whole = read(text);
  BOOST_TEST(whole == expected, boost::test_tools::per_element());
  reader by_byte;
  for (const char byte : text)
    by_byte.feed({&byte, 1}).value();
  BOOST_TEST((by_byte.events == expected));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    reader two;
    two.feed(text.substr(0, cut)).value();
    two.feed(text.substr(cut)).value();
    BOOST_TEST_CONTEXT("cut at " << cut) {
      BOOST_TEST((two.events == expected));
    }
  }
}

} // namespace sse_parser_test

BOOST_AUTO_TEST_SUITE(sse_parser_test)

// The examples of the standard, section 9.2.6.
BOOST_AUTO_TEST_CASE(the_examples_of_the_standard_come_out) {
  check("data: YHOO\ndata: +2\ndata: 10\n\n", {{"message", "YHOO\n+2\n10"}});
  check(": test stream\n\ndata: first event\nid: 1\n\n"
        "data:second event\nid\n\ndata:  third event\n\n",
        {{"message", "first event", "1"},
         {"message", "second event"},
         {"message", " third event"}});
  check("data\n\ndata\ndata\n\ndata:", {{"message", ""}, {"message", "\n"}});
  check("data:test\n\ndata: test\n\n",
        {{"message", "test"}, {"message", "test"}});
}

BOOST_AUTO_TEST_CASE(lines_end_with_lf_cr_or_both_in_any_mix) {
  for (const std::string end : {"\n", "\r", "\r\n"})
    check("event: a" + end + "data: 1" + end + "data: 2" + end + end + "data: 3"
            + end + end,
          {{"a", "1\n2"}, {"message", "3"}});
  check("data: 1\r\rdata: 2\n\ndata: 3\r\n\r\ndata: 4\r\n\rdata: 5\n\r\n",
        {{"message", "1"},
         {"message", "2"},
         {"message", "3"},
         {"message", "4"},
         {"message", "5"}});
}

BOOST_AUTO_TEST_CASE(an_event_is_told_when_its_blank_line_ends_not_later) {
  for (const std::string end : {"\n", "\r", "\r\n"}) {
    reader r;
    r.feed("data: 1" + end + end).value();
    BOOST_TEST(r.events.size() == 1u);
  }
  reader r;
  r.feed("data: 1\r\n\r").value(); // The LF may take its time.
  BOOST_TEST(r.events.size() == 1u);
  r.feed("\ndata: 2\r\n\r\n").value();
  BOOST_TEST(r.events.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_counts_only_at_the_start) {
  check("\xEF\xBB\xBF"
        "data: x\n\n\xEF\xBB\xBF"
        "data: y\n\ndata: z\n\n",
        {{"message", "x"}, {"message", "z"}});
  check("\xEF\xBB\xBF\xEF\xBB\xBF"
        "data: x\n\ndata: z\n\n",
        {{"message", "z"}});
  check("\xEF\xBC\x81: x\ndata: z\n\n", {{"message", "z"}});
}

BOOST_AUTO_TEST_CASE(comments_unknown_fields_and_blanks_are_skipped) {
  check(":\n: ping\ndata: a\n:data: b\nfoo: c\nDATA: d\n data: e\n\n\n\n",
        {{"message", "a"}});
}

BOOST_AUTO_TEST_CASE(an_event_without_data_or_end_is_none) {
  check("event: a\nid: 7\n\ndata: 1\n\nevent: b\ndata: 2\n",
        {{"message", "1", "7"}});
}

BOOST_AUTO_TEST_CASE(an_id_holds_until_the_next_and_never_has_a_zero_byte) {
  using namespace std::string_view_literals;
  check("id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\n"sv,
        {{"message", "a", "1"}, {"message", "b", "1"}, {"message", "c", "1"}});
}

BOOST_AUTO_TEST_CASE(retry_takes_digits_only) {
  reader r;
  for (const auto* bad :
       {"", "-1", "1s", "+1", " 1", "1.5", "99999999999999999999"}) {
    r.feed("retry: " + std::string{bad} + "\n").value();
    BOOST_TEST(!r.parser.retry());
  }
  r.feed("retry:1500\n").value();
  BOOST_TEST((r.parser.retry() == std::chrono::milliseconds{1'500}));
}

BOOST_AUTO_TEST_CASE(a_colon_in_the_value_is_part_of_it) {
  check("data: {\"a\": 1}\n\ndata:: \n\n",
        {{"message", "{\"a\": 1}"}, {"message", ": "}});
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_refused_for_good) {
  const std::string endless_line(101, 'x');
  std::string endless_event;
  for (int i = 0; i < 21; ++i)
    endless_event += "data: 1234\n";
  for (const auto& text : {endless_line, endless_event}) {
    reader whole{.parser = sse_parser{100}};
    BOOST_TEST((whole.feed(text).error().code == errc::limit_exceeded));
    BOOST_TEST(whole.feed("\n\ndata: 1\n\n").has_error());
    reader by_byte{.parser = sse_parser{100}};
    bool refused = false;
    for (const char byte : text)
      refused = by_byte.feed({&byte, 1}).has_error() || refused;
    BOOST_TEST(refused);
    BOOST_TEST(by_byte.events.empty());
  }
  reader exact{.parser = sse_parser{100}};
  exact.feed("data: " + std::string(94, 'x') + "\n\n").value();
  BOOST_TEST(exact.events.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
