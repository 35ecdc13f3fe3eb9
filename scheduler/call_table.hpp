#pragma once

#include <kestrion/scheduler/call_record.hpp>
#include <kestrion/scheduler/slab.hpp>

#include <cstddef>
#include <cstdint>

namespace kestrion {

/// Calls by ticket. Records stay where they are, and a ticket says where: no
/// table has to be asked. Tickets grow with time.
/// @par Threading Owner only.
class call_table {
  /// The lower bits of a ticket are its slot, the others count.
  static constexpr int slot_bits = 24;

public:
  static constexpr std::size_t size_max = std::size_t{1} << slot_bits;

  /// @returns A new one with its ticket. Not more than `size_max`.
  call_record& add();
  /// @returns Nothing if it is gone, or never was.
  call_record* find(call_ticket ticket) const;
  /// One that is there.
  call_record& at(call_ticket ticket) const { return *find(ticket); }
  void erase(call_record& call);
  std::size_t size() const { return records_.size(); }

  template <class Function>
  void for_each(Function f) const {
    for (std::size_t slot = 0; slot < records_.slots(); ++slot)
      if (const auto& call = records_[static_cast<std::uint32_t>(slot)];
          call.ticket != 0)
        f(call);
  }

private:
  slab<call_record> records_;
  std::uint64_t added_ = 0;
};

} // namespace kestrion
