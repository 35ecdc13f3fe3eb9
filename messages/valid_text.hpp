#pragma once

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/utf8.hpp>

#include <string_view>
#include <utility>

namespace kestrion {

/// Calls `f(text, member)` with each text in `value`, however deep it is, and
/// the name of the member that it is in. Names in maps are texts too, of the
/// member `name`; so a changed one may replace another.
template <class T, class F>
void change_texts(T& value, const F& f, std::string_view member = {}) {
  using namespace detail;
  if constexpr (std::same_as<T, std::string>) {
    f(value, member);
  } else if constexpr (is_a<T, std::optional>) {
    if (value)
      change_texts(*value, f, member);
  } else if constexpr (is_a<T, std::vector>) {
    for (auto& element : value)
      change_texts(element, f, member);
  } else if constexpr (string_map<T>) {
    T out;
    for (auto& [key, element] : value) {
      auto name = key;
      f(name, std::string_view{"name"});
      change_texts(element, f, member);
      out.emplace(std::move(name), std::move(element));
    }
    value = std::move(out);
  } else if constexpr (is_a<T, std::variant>) {
    std::visit([&](auto& alternative) { change_texts(alternative, f, member); },
               value);
  } else if constexpr (described_struct<T>) {
    boost::mp11::mp_for_each<members_of<T>>([&](auto each) {
      change_texts(value.*each.pointer, f, std::string_view{each.name});
    });
  }
}

/// Makes every text in `value` valid UTF-8. What passed here is the same after
/// it was written as JSON and read back.
template <class T>
void make_valid_text(T& value) {
  change_texts(value, [](std::string& text, std::string_view) {
    if (!is_valid_utf8(text))
      text = to_valid_utf8(std::move(text));
  });
}

} // namespace kestrion
