#include <kestrion/messages/command.hpp>
#include <kestrion/messages/described.hpp>

#include <boost/mp11/algorithm.hpp>

#include <type_traits>

namespace kestrion {

namespace {

using outer_command =
  std::variant<approve_call, deny_call, resolve_doubt, cancel_run, unpark_run,
               child_done, answer_question, send_message, signal_run>;

template <class C>
inline constexpr bool is_outer =
  boost::mp11::mp_contains<outer_command, C>::value;

} // namespace

result<std::string> encode_command(const command& c) {
  return std::visit(
    [](const auto& x) -> result<std::string> {
      if constexpr (is_outer<std::decay_t<decltype(x)>>)
        return encode_json(x);
      else
        return error{errc::invalid_argument,
                     "this command reaches a run in its own process only; "
                     "expected one that people or "
                     "other runs give"};
    },
    c);
}

result<command> decode_command(std::string_view json) {
  const auto parsed = parse_json(json, "the command");
  if (!parsed)
    return parsed.error();
  auto decoded = decode_json<outer_command>(*parsed, "command");
  if (!decoded)
    return decoded.error();
  return std::visit([](auto& x) { return command{std::move(x)}; }, *decoded);
}

} // namespace kestrion
