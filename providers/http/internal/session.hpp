#pragma once

#include <kestrion/providers/http/client.hpp>
#include <kestrion/providers/http/internal/connection.hpp>
#include <kestrion/providers/http/internal/lookup.hpp>
#include <kestrion/providers/http/internal/pool.hpp>
#include <kestrion/providers/http/url.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace kestrion::http_internal {

namespace http = boost::beast::http;

/// What the calls of one client share.
struct shared_parts {
  explicit shared_parts(http_client_options o);

  /// Leaves what a call cannot do without in `problem`.
  void load_certificates();

  http_client_options options;
  asio::io_context io;
  asio::ssl::context tls{asio::ssl::context::tls_client};
  std::optional<error> tls_problem;
  pool idle;
  lookup names;
};

/// One call, top to bottom: take a kept connection, or resolve, connect, shake
/// hands; then write, and read the head and the body of the answer, which goes
/// to a sink piece by piece if there is one.
///
/// Everything after `start` runs on the session's strand. Whatever happens
/// first, an answer, an error, a limit or a stop, settles it; handlers that
/// come later find it finished and do nothing.
class session : public std::enable_shared_from_this<session> {
public:
  /// @param sink  Null: the body is part of the response.
  session(shared_parts& shared, http_request request, http_url url,
          std::shared_ptr<http_body_sink> sink, http_callback done,
          std::function<void()> on_end);

  void start(const std::stop_token& stop);
  void cancel(); ///< From any thread.

private:
  using error_code = boost::system::error_code;

  void begin();
  void resolve();
  void on_addresses(const addresses& found);
  void connect_next();
  void on_connected(error_code ec);
  void on_handshake(error_code ec);
  void write();
  void on_written(error_code ec, std::size_t bytes);
  void read_head();
  void on_head(error_code ec, std::size_t bytes);
  void read_body();
  void on_body(error_code ec, std::size_t bytes);
  error_code parse_received();
  void read_more_at_once();
  bool hand_out();

  http_response take_response();
  void succeed();
  void succeed_early(error_code ec);
  void fail_read(error_code ec);
  void fail(errc code, std::string detail);
  void settle(http_outcome outcome);
  void hand_over(http_outcome outcome);

  bool try_again_on_a_fresh_connection();
  void enter(http_step step, duration limit);
  void on_time();

  /// `next` as a handler: on the strand, and only while unfinished.
  template <class... Args>
  auto then(void (session::*next)(Args...)) {
    return asio::bind_executor(strand_,
                               [self = shared_from_this(), next](auto... args) {
                                 if (!self->finished_)
                                   ((*self).*next)(args...);
                               });
  }

  shared_parts& shared_;
  asio::strand<asio::io_context::executor_type> strand_;
  asio::steady_timer timer_;
  const http_url url_;
  const std::string origin_;
  std::shared_ptr<http_body_sink> sink_; ///< Null once the body is read whole.
  http_callback done_;                   ///< Null once it was called.
  std::function<void()> on_end_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;

  http::request<http::string_body> message_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::vector<std::string> addresses_;
  std::size_t next_address_ = 0;
  std::string last_problem_; ///< Of the address tried last.
  std::unique_ptr<connection> link_;

  std::chrono::steady_clock::time_point deadline_;
  const duration timeout_;
  duration step_limit_{};
  http_step step_ = http_step::check;
  const bool repeatable_;
  bool reused_ = false; ///< `link_` served another call before.
  bool sent_ = false;   ///< Bytes of the request may have left.
  error_code write_problem_;
  bool finished_ = false;
};

} // namespace kestrion::http_internal
