#pragma once

#include <kestrion/tests/support/child_process.hpp>

#include <boost/test/tools/assertion_result.hpp>
#include <boost/test/tree/test_unit.hpp>

#include <string>

/// Servers that others wrote, as real processes. `scripts/peers` installs them.
namespace kestrion::test {

/// As a precondition: whether peers are to be tested against. They are, and it
/// is an error if they are missing, unless KESTRION_WITHOUT_PEERS is set and
/// this is no CI.
boost::test_tools::assertion_result wants_peers(boost::unit_test::test_unit_id);

/// One aimock with our fixtures on a free port of 127.0.0.1, for all tests of
/// this process.
/// @par Source github.com/CopilotKit/aimock
class aimock {
public:
  /// Starts it at the first call.
  /// @throws std::runtime_error if it is not installed or does not start
  static const aimock& get();

  const std::string& url() const { return url_; } ///< "http://127.0.0.1:4010"

private:
  aimock();

  child_process process_;
  std::string url_;
};

} // namespace kestrion::test
