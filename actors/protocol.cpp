#include <kestrion/actors/protocol.hpp>

#include <caf/message.hpp>

namespace kestrion {

caf::error to_caf(const error& e) {
  return caf::error{e.code, e.detail};
}

bool is_ours(const caf::error& e) {
  return e && e.category() == caf::detail::error_factory<errc>::category;
}

error from_caf(const caf::error& e) {
  const auto& context = e.context();
  std::string detail = context.match_elements<std::string>()
                         ? context.get_as<std::string>(0)
                         : std::string{};
  if (is_ours(e))
    return {static_cast<errc>(e.code()), std::move(detail)};
  return {errc::unavailable, "the actor system answered " + caf::to_string(e)};
}

} // namespace kestrion
