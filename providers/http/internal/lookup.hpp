#pragma once

#include <kestrion/providers/http/client.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace kestrion::http_internal {

using addresses = result<std::vector<std::string>>;

/// Name resolution that can be given up: the system's cannot be interrupted, so
/// it runs on detached threads that own all they touch. Calls for one host
/// share a thread.
/// @par Threading Any thread.
class lookup {
public:
  explicit lookup(http_resolver resolver);
  ~lookup(); ///< No callback runs after it.
  lookup(const lookup&) = delete;
  lookup& operator=(const lookup&) = delete;

  /// @param done  Called once, on another thread, unless this ends before; must
  ///              not block or call back.
  void find(const std::string& host, std::function<void(addresses)> done);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace kestrion::http_internal
