#include <kestrion/scheduler/call_table.hpp>

namespace kestrion {

call_record& call_table::add() {
  ensure(size() < size_max, "more calls than tickets");
  const auto slot = records_.add();
  auto& out = records_[slot];
  out.ticket = ++added_ << slot_bits | slot;
  return out;
}

call_record* call_table::find(call_ticket ticket) const {
  const auto slot = ticket % size_max;
  if (ticket == 0 || slot >= records_.slots())
    return nullptr;
  auto& out = records_[static_cast<std::uint32_t>(slot)];
  return out.ticket == ticket ? &out : nullptr;
}

void call_table::erase(call_record& call) {
  records_.erase(static_cast<std::uint32_t>(call.ticket % size_max));
}

} // namespace kestrion
