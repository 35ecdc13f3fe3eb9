#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kestrion {

struct http_header {
  std::string name;
  std::string value;
  bool operator==(const http_header&) const = default;
};
using http_headers = std::vector<http_header>;

/// The first value of `name`, in any case.
std::optional<std::string_view> find_header(const http_headers& headers,
                                            std::string_view name);

struct http_request {
  std::string method = "POST";
  std::string url;           ///< http:// or https://, without user or fragment.
  http_headers headers = {}; ///< Host, Content-Length, User-Agent are added.
  std::string body = {};
  duration timeout = std::chrono::minutes{10}; ///< All steps together.
  /// It may reach the server twice: a kept connection that turns out dead
  /// before the first byte of the answer is then replaced by a fresh one.
  bool repeatable = false;
};

/// Any status; redirects are not followed.
struct http_response {
  int status = 0;
  http_headers headers = {};
  std::string body = {};
};

enum class http_step : std::uint8_t {
  check, ///< URL, headers, options; nothing was done yet.
  resolve,
  connect,
  handshake,
  write,
  first_byte,
  body,
};
std::string_view to_string(http_step step);

/// Why there is no response.
struct http_failure {
  kestrion::error error;
  http_step step = http_step::check; ///< Where it ended.
  bool before_send = true; ///< For certain, the server saw no byte of it.
};

using http_outcome = std::variant<http_response, http_failure>;
using http_callback = std::function<void(http_outcome)>;

/// Takes the body of one answer while it arrives.
/// @par Threading Never two calls at once, never after the call's `done`; on
///   the client's threads. Must not block or throw.
class http_body_sink {
public:
  virtual ~http_body_sink() = default;

  /// A 2xx began; `head` has no body. Any other answer is read whole instead.
  /// @returns False to have the body of this one read whole, too.
  virtual bool begin(const http_response& head) = 0;

  /// The next bytes; never empty, split anywhere.
  /// @returns False if no more are wanted. The call then ends at once with what
  ///   `begin` saw, whatever the server does with the rest.
  virtual bool take(std::string_view bytes) = 0;
};

/// The limit of each step; `http_request::timeout` bounds the whole besides.
struct http_timeouts {
  duration resolve = std::chrono::seconds{10};
  duration connect = std::chrono::seconds{10}; ///< Each address of a host.
  duration handshake = std::chrono::seconds{10};
  duration write = std::chrono::minutes{1};
  duration first_byte = std::chrono::minutes{10}; ///< Models think long.
  duration body = std::chrono::minutes{1};        ///< Between two reads.
  /// Between two reads of a body that goes to a sink: models think in between.
  duration silence = std::chrono::minutes{5};
};

/// Finds the IP addresses of a host, in the order to try. May block; runs on a
/// thread of its own, one call a host at a time.
using http_resolver =
  std::function<result<std::vector<std::string>>(const std::string& host)>;

struct http_client_options {
  int threads = 1;
  http_timeouts timeouts = {};
  std::size_t body_bytes_max = 32U << 20U;
  std::size_t header_bytes_max = 64U << 10U;
  std::size_t idle_per_origin_max = 64; ///< Connections kept open.
  duration idle_max = std::chrono::seconds{30};
  std::string ca_file = {}; ///< PEM file, trusted besides the system's CAs.
  std::string ca_pem = {};  ///< PEM text, likewise.
  std::string user_agent = "kestrion/0.1";
  http_resolver resolver = {}; ///< Instead of the system's.
};

/// What carries the HTTP calls of models: an `http_client`, or a cassette in a
/// test.
/// @par Threading Any thread.
class http_transport {
public:
  virtual ~http_transport() = default;

  /// Starts a call.
  /// @param stop  When requested, the call ends with `cancelled`, in any step.
  /// @param done  Called exactly once, on any thread, perhaps before this
  ///   returns; must not block or throw.
  virtual void request(http_request request, const std::stop_token& stop,
                       http_callback done) = 0;

  /// Like `request`, with the body of a 2xx going to `sink` as it arrives; the
  /// response in `done` then has an empty one.
  /// @param sink  Not null; dropped before `done` is called.
  virtual void stream(http_request request, const std::stop_token& stop,
                      std::shared_ptr<http_body_sink> sink,
                      http_callback done) = 0;

  /// False: no call leaves this process, so no key is needed.
  virtual bool is_real() const { return true; }
};

using http_transport_ptr = std::shared_ptr<http_transport>;

/// An HTTP/1.1 client on threads of its own; shared by all models.
///
/// TLS checks the certificate and the host's name. Connections are kept and
/// reused. Nothing is retried, but for `http_request::repeatable`.
/// @par Threading Any thread. Callbacks run on the client's threads.
class http_client final : public http_transport {
public:
  explicit http_client(http_client_options options = {});

  /// Ends every call with `cancelled`, then waits for its threads. Callbacks
  /// that drop the last owner of their client are fine.
  ~http_client() override;
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Starts a call and returns at once.
  /// @param stop  When requested, the call ends with `cancelled`, in any step.
  /// @param done  Called exactly once, never inside `request`; must not block
  ///              or throw.
  /// @par Errors To `done`: `invalid_argument` (URL, header, CA file), `io`
  ///   (name, connection, a cut answer), `unauthenticated` (the server's
  ///   certificate), `timeout`, `limit_exceeded` (header or body too big),
  ///   `corrupt` (the answer is no HTTP), `cancelled`.
  void request(http_request request, const std::stop_token& stop,
               http_callback done) override;

  /// Like `request`, with the body of a 2xx going to `sink` as it arrives; the
  /// response in `done` then has an empty one. A body that is cut ends with a
  /// failure after what arrived was handed out. `body_bytes_max` holds.
  /// @param sink  Not null; dropped before `done` is called.
  void stream(http_request request, const std::stop_token& stop,
              std::shared_ptr<http_body_sink> sink,
              http_callback done) override;

  /// Connections that wait for another call.
  std::size_t idle_connections() const;

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

/// The one that models use when they are given none; lives as long as one of
/// them does.
std::shared_ptr<http_client> shared_http_client();

} // namespace kestrion
