#pragma once

#include <utility>
#include <variant>

namespace kestrion {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>; // clang < 17 has no aggregate CTAD

/// `std::visit` with lambdas: an alternative without an arm does not compile.
template <class V, class... Fs>
decltype(auto) match(V&& v, Fs&&... fs) {
  return std::visit(overloaded{std::forward<Fs>(fs)...}, std::forward<V>(v));
}

} // namespace kestrion
