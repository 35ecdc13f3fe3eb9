#pragma once

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/utf8.hpp>

#include <utility>

namespace kestrion {

/// Makes every text in `value` valid UTF-8, however deep it is. What passed
/// here is the same after it was written as JSON and read back.
template <class T>
void make_valid_text(T& value) {
  using namespace detail;
  if constexpr (std::same_as<T, std::string>) {
    if (!is_valid_utf8(value))
      value = to_valid_utf8(std::move(value));
  } else if constexpr (is_a<T, std::optional>) {
    if (value)
      make_valid_text(*value);
  } else if constexpr (is_a<T, std::vector>) {
    for (auto& element : value)
      make_valid_text(element);
  } else if constexpr (string_map<T>) {
    T out;
    for (auto& [name, element] : value) {
      make_valid_text(element);
      out.emplace(to_valid_utf8(name), std::move(element));
    }
    value = std::move(out);
  } else if constexpr (is_a<T, std::variant>) {
    std::visit([](auto& alternative) { make_valid_text(alternative); }, value);
  } else if constexpr (described_struct<T>) {
    boost::mp11::mp_for_each<members_of<T>>(
      [&](auto member) { make_valid_text(value.*member.pointer); });
  }
}

} // namespace kestrion
