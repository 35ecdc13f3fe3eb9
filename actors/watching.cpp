#include <kestrion/actors/watching.hpp>

#include <algorithm>

namespace kestrion {

namespace {

template <std::size_t... I>
bool is_tag(std::string_view kind, std::index_sequence<I...>) {
  return ((std::variant_alternative_t<I, event>::tag == kind) || ...);
}

bool is_tag(std::string_view kind) {
  return is_tag(kind, std::make_index_sequence<std::variant_size_v<event>>{});
}

} // namespace

bool is_wanted(const event_filter& filter, const run_id& run,
               const run_facts& facts) {
  const auto& above = facts.above;
  if (filter.run && *filter.run != run)
    return false;
  if (filter.parent && (above.empty() || above.front() != *filter.parent))
    return false;
  if (filter.tree && *filter.tree != run
      && std::find(above.begin(), above.end(), *filter.tree) == above.end())
    return false;
  return (!filter.agent || *filter.agent == facts.agent)
         && (!filter.tenant || filter.tenant == facts.tenant);
}

bool is_wanted(const event_filter& filter, std::string_view tag) {
  return filter.kinds.empty()
         || std::find(filter.kinds.begin(), filter.kinds.end(), tag)
              != filter.kinds.end();
}

result<void> check(const event_filter& filter) {
  for (const auto& kind : filter.kinds)
    if (!is_tag(kind))
      return error{errc::invalid_argument,
                   "no event has the kind \"" + kind
                     + "\"; expected a tag such as run_completed"};
  if (filter.from_seq && !filter.run)
    return error{errc::invalid_argument,
                 "from_seq says where in the log of one run to begin; name the "
                 "run, too"};
  if (filter.from_seq && *filter.from_seq == 0)
    return error{errc::invalid_argument,
                 "from_seq is 0; the first event of a run has the seq 1"};
  return {};
}

} // namespace kestrion
