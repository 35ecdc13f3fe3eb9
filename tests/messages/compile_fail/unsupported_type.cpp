// Compiled by tests only. OPERATION 0 is the control: it has to compile.
#include <kestrion/messages/described.hpp>
#include <kestrion/messages/json_schema.hpp>

#include <boost/describe/class.hpp>

struct tool_input {
#if OPERATION == 0
  std::vector<int> supported;
  BOOST_DESCRIBE_CLASS(tool_input, (), (supported), (), ())
#else
  std::vector<int*> unsupported;
  BOOST_DESCRIBE_CLASS(tool_input, (), (unsupported), (), ())
#endif
};

int main() {
#if OPERATION == 0 || OPERATION == 1
  kestrion::json_schema<tool_input>();
#endif
#if OPERATION == 0 || OPERATION == 2
  kestrion::encode_json(tool_input{});
#endif
#if OPERATION == 0 || OPERATION == 3
  static_cast<void>(kestrion::decode_json<tool_input>({}));
#endif
}
