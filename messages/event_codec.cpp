#include <kestrion/messages/described.hpp>
#include <kestrion/messages/event.hpp>
#include <kestrion/messages/match.hpp>

#include <boost/mp11/algorithm.hpp>

namespace kestrion {

namespace {

/// Members only: the tag has a column of its own.
template <class E>
std::string encode_members(const E& e) {
  std::string out = "{";
  detail::append_members(out, e);
  detail::end_object(out);
  return out;
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
