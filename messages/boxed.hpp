#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace kestrion {

/// A value that is seldom there: as std::optional, but nothing takes no more
/// than a pointer. For what waits in memory by the hundred thousand.
/// @par Threading As any value: one thread at a time.
template <class T>
class boxed {
public:
  using value_type = T;

  boxed() = default;
  boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  boxed(const std::optional<T>& value)
    : value_(value ? std::make_unique<T>(*value) : nullptr) {}
  boxed(const boxed& other)
    : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  boxed(boxed&&) noexcept = default;
  boxed& operator=(boxed other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~boxed() = default;

  explicit operator bool() const { return value_ != nullptr; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  void reset() { value_.reset(); }

  friend bool operator==(const boxed& a, const boxed& b) {
    return a.value_ && b.value_ ? *a.value_ == *b.value_
                                : !a.value_ && !b.value_;
  }

private:
  std::unique_ptr<T> value_;
};

} // namespace kestrion
