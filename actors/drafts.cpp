#include <kestrion/actors/drafts.hpp>

namespace kestrion {

std::string text_of(const draft_update& update) {
  std::string out;
  for (const auto& piece : update.pieces)
    if (piece.kind == delta_kind::text)
      out += piece.text;
  return out;
}

} // namespace kestrion
