#include <kestrion/providers/models/draft.hpp>

namespace kestrion {

namespace {

draft::group group_of(delta_kind kind) {
  switch (kind) {
    case delta_kind::text: return draft::group::text;
    case delta_kind::reasoning: return draft::group::reasoning;
    case delta_kind::tool_name:
    case delta_kind::tool_arguments: break;
  }
  return draft::group::tool;
}

} // namespace

void draft::show(delta_kind kind, std::size_t key, std::string_view text) {
  if (text.empty())
    return;
  const block fresh{.index = blocks_.size()};
  auto& to = blocks_.try_emplace({group_of(kind), key}, fresh).first->second;
  auto& offset = kind == delta_kind::tool_name ? to.name_bytes : to.bytes;
  on_delta_({kind, to.index, offset, std::string{text}});
  offset += text.size();
}

} // namespace kestrion
