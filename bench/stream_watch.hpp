#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

/// What arrives of the streams of `model_server::paced_url`, and when.
namespace bench {

class stream_watch {
public:
  stream_watch(std::size_t streams, int tokens);

  /// One stream, read by one thread at a time.
  class reader {
  public:
    /// The next bytes of its text, split anywhere.
    void take(std::string_view text, stream_watch& all);

  private:
    int next_ = 0; ///< The number of the token that has to come.
    std::string held_;
    std::int64_t last_us_ = 0;
  };

  /// Of what it saw between `begin` and `end`, on the clock of `steady_us`.
  struct figures {
    std::size_t tokens = 0;
    std::vector<double> lags_ms; ///< From the server's write to here.
    double gap_max_ms = 0;       ///< Between two tokens of one stream.
  };
  figures between(std::int64_t begin, std::int64_t end) const;

  std::size_t begun() const;
  std::size_t ended() const; ///< With all tokens, each once and in order.
  std::size_t broken() const;
  std::int64_t first_end_us() const; ///< 0: none has ended.

private:
  friend class reader;
  struct token {
    std::int64_t at_us;
    std::int32_t lag_us;
    std::int32_t gap_us;
  };

  const int tokens_;
  mutable std::mutex mutex_;
  std::vector<token> seen_;
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  std::size_t broken_ = 0;
  std::int64_t first_end_us_ = 0;
};

} // namespace bench
