#include <kestrion/store/store_url.hpp>

#include "store_support.hpp"

#include <boost/test/unit_test.hpp>

using namespace kestrion;

namespace store_url_test {

std::string path_of(std::string_view url) {
  return parse_store_url(url).value().path;
}

/// Checks the code, and that the sentence quotes the URL.
void check_refused(std::string_view url, errc code) {
  const auto store = open_store(url);
  BOOST_REQUIRE_MESSAGE(store.has_error(), url);
  BOOST_CHECK_MESSAGE(store.error().code == code, to_string(store.error()));
  BOOST_CHECK_NE(store.error().detail.find(url), std::string::npos);
}

} // namespace store_url_test

BOOST_AUTO_TEST_SUITE(store_url_test)

BOOST_AUTO_TEST_CASE(three_slashes_are_relative_and_four_absolute) {
  BOOST_CHECK_EQUAL(path_of("sqlite:///agent_runs.db"), "agent_runs.db");
  BOOST_CHECK_EQUAL(path_of("sqlite:///a/b.db"), "a/b.db");
  BOOST_CHECK_EQUAL(path_of("sqlite:////var/lib/b.db"), "/var/lib/b.db");
  BOOST_CHECK(parse_store_url("memory:").value().where
              == store_location::kind::memory);
}

BOOST_AUTO_TEST_CASE(the_path_is_percent_decoded) {
  BOOST_CHECK_EQUAL(path_of("sqlite:///my%20runs%3F%2e%C3%BC.db"),
                    "my runs?.ü.db");
  BOOST_CHECK_EQUAL(path_of("sqlite:///my runs+1.db"), "my runs+1.db");
}

BOOST_AUTO_TEST_CASE(other_schemes_are_refused_with_those_that_work) {
  check_refused("postgres://localhost/runs", errc::unsupported);
  check_refused("agent_runs.db", errc::unsupported);
  check_refused("", errc::unsupported);
  check_refused("memory:x", errc::unsupported);
  check_refused("SQLITE:///x.db", errc::unsupported);
  const auto detail = open_store("postgres://localhost/x").error().detail;
  BOOST_CHECK_NE(detail.find("\"postgres\""), std::string::npos);
  BOOST_CHECK_NE(detail.find("memory:"), std::string::npos);
}

BOOST_AUTO_TEST_CASE(urls_that_name_no_file_are_refused) {
  for (const auto* url : {"sqlite:", "sqlite://", "sqlite:///"})
    check_refused(url, errc::invalid_argument);
  for (const auto* url : {"sqlite:x.db", "sqlite:/x.db", "sqlite://host/x.db",
                          "sqlite:///x.db?mode=ro", "sqlite:///x.db#top"})
    check_refused(url, errc::unsupported);
  for (const auto* url :
       {"sqlite:///%", "sqlite:///a%2", "sqlite:///%zz.db", "sqlite:///a%00b"})
    check_refused(url, errc::invalid_argument);
  BOOST_CHECK(open_store(std::string_view{"sqlite:///a\0b", 13}).error().code
              == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE(names_that_mean_more_to_sqlite_are_files_to_us) {
  const test::temp_folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder / "");
  for (const auto* name : {":memory:", "file:x.db"})
    BOOST_CHECK(open_store("sqlite:///" + std::string{name}).has_value());
  std::filesystem::current_path(before);
  for (const auto* name : {":memory:", "file:x.db"})
    BOOST_CHECK(std::filesystem::exists(folder / name));
}

BOOST_AUTO_TEST_SUITE_END()
