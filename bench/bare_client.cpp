#include "bare_client.hpp"

#include <boost/beast/http.hpp>

#include <array>

namespace bench {

namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;

bare_client::bare_client(int port) {
  socket_.connect({boost::asio::ip::address_v4::loopback(),
                   static_cast<std::uint16_t>(port)});
  socket_.set_option(tcp::no_delay{true});
}

void bare_client::send(std::string_view target, const std::string& body) {
  http::request<http::string_body> request{
    http::verb::post, {target.data(), target.size()}, 11, body};
  request.set(http::field::host, "127.0.0.1");
  request.set(http::field::content_type, "application/json");
  request.prepare_payload();
  http::write(socket_, request);
}

std::string bare_client::post(std::string_view target,
                              const std::string& body) {
  send(target, body);
  http::response<http::string_body> response;
  http::read(socket_, buffer_, response);
  return std::move(response.body());
}

std::size_t bare_client::drain(std::string_view target,
                               const std::string& body) {
  send(target, body);
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  http::read_header(socket_, buffer_, parser);
  std::array<char, 64U << 10U> space{};
  std::size_t bytes = 0;
  while (!parser.is_done()) {
    parser.get().body().data = space.data();
    parser.get().body().size = space.size();
    boost::system::error_code ec;
    http::read(socket_, buffer_, parser, ec);
    if (ec && ec != http::error::need_buffer)
      throw boost::system::system_error(ec);
    bytes += space.size() - parser.get().body().size;
  }
  return bytes;
}

} // namespace bench
