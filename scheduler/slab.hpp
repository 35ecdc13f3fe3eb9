#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kestrion {

/// Objects that stay where they are, close together, found by their slot. Of
/// thousands that are looked at in no order each one costs a miss of the cache
/// in any case; but not one of the table of pages as well, as it does where
/// each is allocated by itself.
///
/// A free slot holds an object that was default-constructed.
/// @par Threading Owner only.
template <class T>
class slab {
public:
  using slot = std::uint32_t;

  /// @returns Where there is a new one, default-constructed.
  slot add() {
    if (free_.empty())
      grow();
    const auto out = free_.back();
    free_.pop_back();
    return out;
  }

  void erase(slot at) {
    free_.push_back(at);
    (*this)[at] = T{};
    if (size() != 0 || blocks_.size() == 1)
      return;
    blocks_.resize(1); // No rush is paid for longer than it lasts.
    free_.clear();
    free_from(0);
  }

  T& operator[](slot at) const {
    return (*blocks_[at / block_size])[at % block_size];
  }

  std::size_t slots() const { return blocks_.size() * block_size; }
  std::size_t size() const { return slots() - free_.size(); }

private:
  static constexpr std::size_t block_size = 128;
  using block = std::array<T, block_size>;

  void grow() {
    blocks_.push_back(std::make_unique<block>());
    free_from(slots() - block_size);
  }

  /// All from there on; the first one is taken first.
  void free_from(std::size_t first) {
    for (auto at = slots(); at > first; --at)
      free_.push_back(static_cast<slot>(at - 1));
  }

  std::vector<std::unique_ptr<block>> blocks_;
  std::vector<slot> free_; ///< The last one is the warmest.
};

} // namespace kestrion
