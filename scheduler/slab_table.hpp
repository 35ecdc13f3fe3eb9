#pragma once

#include <kestrion/scheduler/slab.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace kestrion {

/// Objects by key that stay where they are, close together. Of thousands that
/// are looked at in no order each look into the table waits for memory; one
/// that is expected is found without it.
/// @par Threading Owner only.
template <class Key, class T, class Hash = std::hash<Key>>
class slab_table {
public:
  using slot = typename slab<T>::slot;

  /// @returns Nothing if there is none.
  T* find(const Key& key) const {
    if (auto* what = expected(key))
      return what;
    const auto found = slots_.find(key);
    return found == slots_.end() ? nullptr : &objects_[found->second];
  }

  /// Makes it, default-constructed, if there is none.
  T& operator[](const Key& key) {
    if (auto* what = expected(key))
      return *what;
    const auto [found, is_new] = slots_.try_emplace(key, 0);
    if (is_new)
      found->second = objects_.add();
    return objects_[found->second];
  }

  /// Where it stays; there is one.
  slot slot_of(const Key& key) const { return slots_.find(key)->second; }
  /// @returns If it is gone another one, a fresh one or nothing.
  T* at(slot where) const {
    return where < objects_.slots() ? &objects_[where] : nullptr;
  }

  /// It is there, and is looked for soon.
  void expect(const Key& key, T& what) { warm_[place_of(key)] = {key, &what}; }

  /// There is one. @param key  A copy: ours goes with what it names.
  void erase(Key key) {
    if (expected(key))
      warm_[place_of(key)] = {};
    const auto found = slots_.find(key);
    objects_.erase(found->second);
    slots_.erase(found);
  }

  template <class Function>
  void for_each(Function f) const {
    for (const auto& [key, where] : slots_)
      f(key, objects_[where]);
  }

  std::size_t size() const { return slots_.size(); }

private:
  struct entry {
    Key key{};
    T* what = nullptr;
  };

  static constexpr int warm_bits = 8;

  /// The upper bits of a product depend on all bits of the hash.
  static std::size_t place_of(const Key& key) {
    return Hash{}(key)*0x9e37'79b9'7f4a'7c15U >> (64 - warm_bits);
  }

  T* expected(const Key& key) const {
    const auto& warm = warm_[place_of(key)];
    return warm.key == key ? warm.what : nullptr;
  }

  boost::unordered_flat_map<Key, slot, Hash> slots_;
  slab<T> objects_;
  std::array<entry, std::size_t{1} << warm_bits> warm_;
};

} // namespace kestrion
