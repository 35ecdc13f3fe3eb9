#pragma once

#include <mutex>
#include <utility>

namespace kestrion {

/// Where to find an actor that is started anew when it ends.
/// @par Threading All members from any thread.
template <class Handle>
class actor_slot {
public:
  Handle get() const {
    const std::lock_guard lock{mutex_};
    return handle_;
  }
  void set(Handle handle) {
    const std::lock_guard lock{mutex_};
    std::swap(handle_, handle); // The old one goes without the lock.
  }

private:
  mutable std::mutex mutex_;
  Handle handle_;
};

} // namespace kestrion
