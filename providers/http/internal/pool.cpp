#include <kestrion/providers/http/internal/pool.hpp>

namespace kestrion::http_internal {

using clock = std::chrono::steady_clock;

pool::pool(asio::io_context& io, std::size_t per_origin_max,
           std::chrono::microseconds idle_max)
  : per_origin_max_(per_origin_max), idle_max_(idle_max), timer_(io) {}

std::unique_ptr<connection> pool::take(const std::string& origin) {
  const std::lock_guard lock{mutex_};
  const auto at = idle_.find(origin);
  if (at == idle_.end())
    return nullptr;
  auto& links = at->second;
  while (!links.empty()) {
    auto youngest = std::move(links.back());
    links.pop_back();
    if (clock::now() - youngest.since < idle_max_ && youngest.link->is_quiet())
      return std::move(youngest.link);
  }
  idle_.erase(at);
  return nullptr;
}

void pool::put(const std::string& origin, std::unique_ptr<connection> c) {
  const std::lock_guard lock{mutex_};
  if (closed_ || per_origin_max_ == 0)
    return;
  auto& links = idle_[origin];
  if (links.size() >= per_origin_max_)
    links.pop_front();
  links.push_back({std::move(c), clock::now()});
  sweep_later();
}

void pool::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  idle_.clear();
  timer_.cancel();
}

std::size_t pool::size() const {
  const std::lock_guard lock{mutex_};
  std::size_t n = 0;
  for (const auto& [origin, links] : idle_)
    n += links.size();
  return n;
}

void pool::sweep_later() {
  if (sweeping_)
    return;
  sweeping_ = true;
  timer_.expires_after(idle_max_);
  timer_.async_wait([this](boost::system::error_code) { sweep(); });
}

void pool::sweep() {
  const std::lock_guard lock{mutex_};
  sweeping_ = false;
  const auto now = clock::now();
  for (auto at = idle_.begin(); at != idle_.end();) {
    auto& links = at->second;
    while (!links.empty() && now - links.front().since >= idle_max_)
      links.pop_front();
    at = links.empty() ? idle_.erase(at) : std::next(at);
  }
  if (!closed_ && !idle_.empty())
    sweep_later();
}

} // namespace kestrion::http_internal
