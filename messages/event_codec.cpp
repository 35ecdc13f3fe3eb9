#include <kestrion/messages/described.hpp>
#include <kestrion/messages/event.hpp>
#include <kestrion/messages/match.hpp>

#include <boost/mp11/algorithm.hpp>

#include <utility>

namespace kestrion {

namespace {

constexpr std::size_t scratch_kept_max = 65'536; ///< Bytes, by each thread.

/// Members only: the tag has a column of its own. It grows in memory that is
/// there already, so the text is allocated once, as long as it is.
template <class E>
std::string encode_members(const E& e) {
  thread_local std::string scratch;
  scratch.assign(1, '{');
  detail::append_members(scratch, e);
  detail::end_object(scratch);
  if (scratch.capacity() > scratch_kept_max)
    return std::exchange(scratch, {});
  return scratch;
}

} // namespace

std::string_view tag_of(const event& e) {
  return match(e, [](const auto& x) { return std::string_view{x.tag}; });
}

encoded_event encode(const event& e, timestamp at) {
  return match(e, [&](const auto& x) {
    return encoded_event{at, x.tag, encode_members(x)};
  });
}

result<event> decode_event(std::string_view type, std::string_view data) {
  auto json = parse_json(data, "the event");
  if (!json)
    return error{errc::corrupt, json.error().detail};
  result<event> out =
    error{errc::corrupt, "the event type \"" + std::string{type.substr(0, 64)}
                           + "\" is not known"};
  boost::mp11::mp_for_each<boost::mp11::mp_transform<
    std::type_identity, boost::mp11::mp_rename<event, boost::mp11::mp_list>>>(
    [&]<class E>(std::type_identity<E>) {
      if (type != E::tag)
        return;
      if (auto decoded = decode_json<E>(*json))
        out = event{std::move(*decoded)};
      else
        out = error{errc::corrupt,
                    std::string{type} + ": " + decoded.error().detail};
    });
  return out;
}

} // namespace kestrion
