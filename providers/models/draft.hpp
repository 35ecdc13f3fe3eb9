#pragma once

#include <kestrion/providers/models/model.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace kestrion {

/// Turns what vendors call a block into the numbers and offsets of a draft.
/// @par Threading One owner.
class draft {
public:
  /// Of whichever kind of block a vendor counts on its own.
  enum class group : std::uint8_t { text, reasoning, tool };

  explicit draft(delta_sink on_delta) : on_delta_(std::move(on_delta)) {}

  /// Shows a piece; nothing if it is empty.
  /// @param key  Tells blocks of one group apart.
  void show(delta_kind kind, std::size_t key, std::string_view text);

private:
  struct block {
    std::size_t index = 0;
    std::size_t name_bytes = 0; ///< Of a tool.
    std::size_t bytes = 0;
  };

  const delta_sink on_delta_;
  std::map<std::pair<group, std::size_t>, block> blocks_;
};

} // namespace kestrion
