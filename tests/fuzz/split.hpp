#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace kestrion::test {

/// The bytes of an input; the last one says where to split the others.
struct split_input {
  split_input(const std::uint8_t* data, std::size_t size)
    : text(reinterpret_cast<const char*>(data), size),
      step(size == 0 ? 1 : data[size - 1] % 17U + 1) {}

  /// Hands the text to `f`, `step` bytes at a time.
  template <class F>
  void in_pieces(F&& f) const {
    for (std::size_t at = 0; at < text.size(); at += step)
      f(text.substr(at, step));
  }

  std::string_view text;
  std::size_t step;
};

/// Ends the process, which the fuzzer reports with the input.
inline void must(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace kestrion::test
