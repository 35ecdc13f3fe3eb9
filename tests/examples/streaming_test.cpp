#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion::test;

BOOST_AUTO_TEST_SUITE(streaming_test)

BOOST_AUTO_TEST_CASE(it_prints_each_word_once_and_while_it_is_said) {
  const temp_folder folder;

  child_process p(example(folder.path(), "streaming/streaming"));
  const auto end = child_process::clock::now() + std::chrono::seconds{120};
  bool was_seen_growing = false;
  while (
    !p.has_ended(child_process::clock::now() + std::chrono::milliseconds{10})) {
    BOOST_REQUIRE(child_process::clock::now() < end);
    const auto& text = p.text();
    was_seen_growing |= text.find("She hangs") != std::string::npos
                        && text.find("at all.") == std::string::npos;
  }

  BOOST_TEST_CONTEXT(p.text()) {
    BOOST_CHECK_EQUAL(p.exit_code(), 0);
    BOOST_CHECK(was_seen_growing);
    BOOST_CHECK(
      p.text().ends_with("She hangs upon the wind, and does not fall;\n"
                         "the field below her does not move at all.\n"
                         "completed\n"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
