#include <kestrion/providers/http/internal/lookup.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <map>
#include <mutex>
#include <system_error>
#include <thread>

namespace kestrion::http_internal {

namespace {

addresses system_addresses(const std::string& host) {
  // Hosts without a resolver configuration know it too (RFC 6761).
  if (host == "localhost")
    return std::vector<std::string>{"127.0.0.1", "::1"};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list);
      code != 0)
    return error{errc::io, "the host \"" + host
                             + "\" has no address: " + gai_strerror(code)};
  std::vector<std::string> found;
  for (const auto* a = list; a != nullptr; a = a->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST)
        == 0)
      found.emplace_back(text);
  }
  freeaddrinfo(list);
  return found;
}

addresses ask(const http_resolver& resolver, const std::string& host) {
  try {
    return resolver ? resolver(host) : system_addresses(host);
  } catch (const std::exception& e) {
    return error{errc::io, "resolving \"" + host + "\" failed: " + e.what()};
  }
}

} // namespace

struct lookup::state {
  http_resolver resolver;
  std::mutex mutex;
  bool closed = false;
  std::map<std::string, std::vector<std::function<void(addresses)>>> waiting;

  void deliver(const std::string& host, const addresses& answer) {
    const std::lock_guard lock{mutex};
    auto waiters = std::move(waiting[host]);
    waiting.erase(host);
    // Under the lock, so that ~lookup can promise silence.
    if (!closed)
      for (auto& done : waiters)
        done(answer);
  }
};

lookup::lookup(http_resolver resolver) : state_(std::make_shared<state>()) {
  state_->resolver = std::move(resolver);
}

lookup::~lookup() {
  const std::lock_guard lock{state_->mutex};
  state_->closed = true;
  state_->waiting.clear();
}

void lookup::find(const std::string& host,
                  std::function<void(addresses)> done) {
  {
    const std::lock_guard lock{state_->mutex};
    auto& waiters = state_->waiting[host];
    waiters.push_back(std::move(done));
    if (waiters.size() > 1)
      return; // A thread is at it.
  }
  try {
    std::thread{[state = state_, host] {
      state->deliver(host, ask(state->resolver, host));
    }}.detach();
  } catch (const std::system_error& e) {
    state_->deliver(host, error{errc::io, std::string{"no thread to resolve \""}
                                            + host + "\": " + e.what()});
  }
}

} // namespace kestrion::http_internal
