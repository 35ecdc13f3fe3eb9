#include <kestrion/messages/run_status.hpp>

#include <boost/describe/enum_to_string.hpp>

namespace kestrion {

std::string_view to_string(run_status status) {
  return boost::describe::enum_to_string(status, "unknown");
}

} // namespace kestrion
