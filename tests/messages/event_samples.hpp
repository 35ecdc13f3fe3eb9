#pragma once

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/event.hpp>

#include <boost/mp11/algorithm.hpp>

/// Events with every member set, made from their description: an event that is
/// new is covered without anyone thinking of it.
namespace sample {

/// Gives `value` and all that is in it a value that is not the default, and
/// differs from the one before.
class filler {
public:
  template <class T>
  void fill(T& value) {
    using namespace kestrion::detail;
    ++count_;
    if constexpr (std::same_as<T, std::string>) {
      value = "text " + std::to_string(count_) + " \"\n\xE2\x82\xAC";
    } else if constexpr (std::same_as<T, bool>) {
      value = true;
    } else if constexpr (std::integral<T> || std::floating_point<T>) {
      value = static_cast<T>(count_);
    } else if constexpr (described_enum<T>) {
      value =
        boost::mp11::mp_back<boost::describe::describe_enumerators<T>>::value;
    } else if constexpr (is_a<T, std::optional>) {
      fill(value.emplace());
    } else if constexpr (is_a<T, std::vector>) {
      fill_all(value);
    } else if constexpr (string_map<T>) {
      fill(value["b"]);
      fill(value["a"]);
    } else if constexpr (std::same_as<T, kestrion::run_id>) {
      value = kestrion::run_id::make(kestrion::timestamp{now()}, 1, count_);
    } else if constexpr (std::same_as<T, kestrion::timestamp>) {
      value = kestrion::timestamp{now()};
    } else if constexpr (std::same_as<T, kestrion::duration>) {
      value = kestrion::duration{count_};
    } else {
      static_assert(described_struct<T>, "teach the filler this type");
      boost::mp11::mp_for_each<members_of<T>>(
        [&](auto member) { fill(value.*member.pointer); });
    }
  }

private:
  kestrion::duration now() const {
    return kestrion::duration{1'700'000'000'000'000 + count_};
  }

  /// A vector of variants gets one of each alternative, any other gets two.
  template <class T>
  void fill_all(std::vector<T>& values) {
    if constexpr (kestrion::detail::is_a<T, std::variant>) {
      boost::mp11::mp_for_each<boost::mp11::mp_transform<
        std::type_identity, boost::mp11::mp_rename<T, boost::mp11::mp_list>>>(
        [&]<class A>(std::type_identity<A>) {
          A alternative;
          fill(alternative);
          values.emplace_back(std::move(alternative));
        });
    } else {
      values.resize(2);
      for (auto& value : values)
        fill(value);
    }
  }

  std::uint8_t count_ = 0;
};

/// Each alternative twice: as it is by default, and with every member set.
inline std::vector<kestrion::event> every_event() {
  std::vector<kestrion::event> out;
  boost::mp11::mp_for_each<boost::mp11::mp_transform<
    std::type_identity,
    boost::mp11::mp_rename<kestrion::event, boost::mp11::mp_list>>>(
    [&]<class E>(std::type_identity<E>) {
      out.emplace_back(E{});
      E filled{};
      filler{}.fill(filled);
      out.emplace_back(std::move(filled));
    });
  return out;
}

} // namespace sample
