#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <optional>
#include <string>

namespace kestrion::http_internal {

namespace asio = boost::asio;

/// A TCP connection, with TLS on it or not.
/// @par Threading One session at a time; not synchronised.
struct connection {
  explicit connection(asio::io_context& io) : socket(io) {}

  /// Puts TLS on it, for exactly this host. @throws boost::system::system_error
  void secure(asio::ssl::context& context, const std::string& host);

  /// Why the peer's certificate is not accepted; empty if it is.
  std::string certificate_problem();

  /// The peer neither closed it nor said anything unasked.
  bool is_quiet();

  void close();

  /// Calls `f` with the stream that speaks HTTP.
  template <class F>
  void with_stream(F&& f) {
    if (tls)
      f(*tls);
    else
      f(socket);
  }

  asio::ip::tcp::socket socket;
  std::optional<asio::ssl::stream<asio::ip::tcp::socket&>> tls;
  boost::beast::flat_buffer received; ///< Read, but not parsed yet.
};

} // namespace kestrion::http_internal
