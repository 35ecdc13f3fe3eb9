#pragma once

#include <kestrion/messages/conversation.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace kestrion {

/// Which ids vendors gave to the tool calls of a conversation, as a hash each:
/// that one is new shows without a look at all that was said. 4 bytes a call.
class vendor_ids {
public:
  void add(const message& said);
  void add(const conversation& said);

  /// False: no call has it. True: one may.
  bool may_have(std::string_view id) const;

private:
  std::vector<std::uint32_t> hashes_; ///< Sorted.
};

} // namespace kestrion
