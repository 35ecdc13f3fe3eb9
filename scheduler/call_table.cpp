#include <kestrion/scheduler/call_table.hpp>

#include <utility>

namespace kestrion {

call_record& call_table::add(call_record&& call) {
  if (free_.empty()) {
    const auto first = blocks_.size() * block_size;
    ensure(first < size_max, "more calls than tickets");
    blocks_.push_back(std::make_unique<block>());
    for (auto slot = first + block_size; slot > first; --slot)
      free_.push_back(static_cast<std::uint32_t>(slot - 1));
  }
  const auto slot = free_.back();
  free_.pop_back();
  auto& out = in(slot);
  out = std::move(call);
  out.ticket = ++added_ << slot_bits | slot;
  ++size_;
  return out;
}

const call_record* call_table::find(call_ticket ticket) const {
  const auto slot = ticket % size_max;
  if (slot >= blocks_.size() * block_size)
    return nullptr;
  const auto& out = in(slot);
  return out.ticket == ticket && ticket != 0 ? &out : nullptr;
}

call_record* call_table::find(call_ticket ticket) {
  return const_cast<call_record*>(std::as_const(*this).find(ticket));
}

void call_table::erase(call_record& call) {
  if (--size_ == 0) { // No rush is paid for longer than it lasts.
    blocks_.clear();
    free_.clear();
    return;
  }
  free_.push_back(static_cast<std::uint32_t>(call.ticket % size_max));
  call = {};
}

} // namespace kestrion
