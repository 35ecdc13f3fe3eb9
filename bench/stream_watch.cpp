#include "stream_watch.hpp"

#include "model_server.hpp"

#include <algorithm>
#include <charconv>

namespace bench {

void stream_watch::reader::take(std::string_view text, stream_watch& all) {
  held_ += text;
  const auto now = steady_us();
  std::size_t at = 0;
  for (auto end = held_.find(' '); end != std::string::npos;
       at = end + 1, end = held_.find(' ', at)) {
    const auto* last = held_.data() + end;
    int number = -1;
    std::int64_t sent = 0;
    const auto sign =
      std::from_chars(held_.data() + at, last, number).ptr; // The @.
    const bool is_whole =
      sign != last && std::from_chars(sign + 1, last, sent).ptr == last;
    const std::lock_guard lock{all.mutex_};
    if (!is_whole || number != next_ || number >= all.tokens_) {
      ++all.broken_;
      continue;
    }
    all.seen_.push_back(
      {now, static_cast<std::int32_t>(now - sent),
       static_cast<std::int32_t>(last_us_ == 0 ? 0 : now - last_us_)});
    last_us_ = now;
    all.begun_ += next_++ == 0 ? 1 : 0;
    if (next_ == all.tokens_ && all.ended_++ == 0)
      all.first_end_us_ = now;
  }
  held_.erase(0, at);
}

stream_watch::stream_watch(std::size_t streams, int tokens) : tokens_(tokens) {
  seen_.reserve(streams * static_cast<std::size_t>(tokens));
  // Touched now, so that it is in memory before anything is measured.
  seen_.resize(seen_.capacity());
  seen_.clear();
}

stream_watch::figures stream_watch::between(std::int64_t begin,
                                            std::int64_t end) const {
  const std::lock_guard lock{mutex_};
  figures out;
  for (const auto& t : seen_) {
    if (t.at_us < begin || t.at_us >= end)
      continue;
    ++out.tokens;
    out.lags_ms.push_back(t.lag_us / 1e3);
    out.gap_max_ms = std::max(out.gap_max_ms, t.gap_us / 1e3);
  }
  return out;
}

std::size_t stream_watch::begun() const {
  const std::lock_guard lock{mutex_};
  return begun_;
}

std::size_t stream_watch::ended() const {
  const std::lock_guard lock{mutex_};
  return ended_;
}

std::size_t stream_watch::broken() const {
  const std::lock_guard lock{mutex_};
  return broken_;
}

std::int64_t stream_watch::first_end_us() const {
  const std::lock_guard lock{mutex_};
  return first_end_us_;
}

} // namespace bench
