#pragma once

#include <kestrion/scheduler/call_record.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kestrion {

/// Calls by ticket. Records stay where they are, and a ticket says where: no
/// table has to be asked. Tickets grow with time.
/// @par Threading Owner only.
class call_table {
  /// The lower bits of a ticket are its slot, the others count.
  static constexpr int slot_bits = 24;

public:
  static constexpr std::size_t size_max = std::size_t{1} << slot_bits;

  /// Gives it a ticket. Not more than `size_max`.
  call_record& add(call_record&& call);
  /// @returns Nothing if it is gone, or never was.
  call_record* find(call_ticket ticket);
  const call_record* find(call_ticket ticket) const;
  /// One that is there.
  call_record& at(call_ticket ticket) { return *find(ticket); }
  void erase(call_record& call);
  std::size_t size() const { return size_; }

  template <class Function>
  void for_each(Function f) const {
    for (const auto& each : blocks_)
      for (const auto& call : *each)
        if (call.ticket != 0)
          f(call);
  }

private:
  static constexpr std::size_t block_size = 128;
  using block = std::array<call_record, block_size>;

  call_record& in(std::size_t slot) const {
    return (*blocks_[slot / block_size])[slot % block_size];
  }

  std::vector<std::unique_ptr<block>> blocks_;
  std::vector<std::uint32_t> free_; ///< Slots; the last one is the warmest.
  std::uint64_t added_ = 0;
  std::size_t size_ = 0;
};

} // namespace kestrion
