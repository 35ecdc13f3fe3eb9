#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// What one would write with Beast alone.
namespace bench {

/// One blocking connection to a server on loopback, kept for all its calls.
/// @throws boost::system::system_error
class bare_client {
public:
  explicit bare_client(int port);

  /// Posts, and reads the answer whole. @returns Its body.
  std::string post(std::string_view target, const std::string& body);

  /// Posts, and reads the answer piece by piece, looking at none.
  /// @returns The bytes of its body.
  std::size_t drain(std::string_view target, const std::string& body);

private:
  void send(std::string_view target, const std::string& body);

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_{io_};
  boost::beast::flat_buffer buffer_;
};

} // namespace bench
