#include "bare_streams.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <string_view>

namespace bench {

namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = boost::asio::ip::tcp;

class bare_streams::call : public std::enable_shared_from_this<call> {
public:
  call(boost::asio::io_context& io, const std::string& target,
       stream_watch& watch)
    : socket_(io), request_(http::verb::post, target, 11, "{}"), watch_(watch) {
    request_.set(http::field::host, "127.0.0.1");
    request_.prepare_payload();
  }

  void begin(int port) {
    socket_.async_connect({boost::asio::ip::address_v4::loopback(),
                           static_cast<std::uint16_t>(port)},
                          [self = shared_from_this()](error_code ec) {
                            if (!ec)
                              self->write();
                          });
  }

private:
  void write() {
    http::async_write(socket_, request_,
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (!ec)
                          self->read();
                      });
  }

  void read() {
    http::async_read_some(
      socket_, buffer_, parser_,
      [self = shared_from_this()](error_code ec, std::size_t) {
        if (!ec)
          self->look();
      });
  }

  void look() {
    constexpr std::string_view before = R"("text":")";
    auto& body = parser_.get().body();
    std::size_t at = 0;
    for (auto end = body.find("\n\n"); end != std::string::npos;
         at = end + 2, end = body.find("\n\n", at)) {
      const auto event = std::string_view{body}.substr(at, end - at);
      const auto text = event.find(before);
      if (text == event.npos)
        continue;
      const auto rest = event.substr(text + before.size());
      reader_.take(rest.substr(0, rest.find('"')), watch_);
    }
    body.erase(0, at);
    if (!parser_.is_done())
      read();
  }

  tcp::socket socket_;
  http::request<http::string_body> request_;
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  stream_watch& watch_;
  stream_watch::reader reader_;
};

bare_streams::bare_streams() : thread_([this] { io_.run(); }) {}

bare_streams::~bare_streams() {
  io_.stop();
  thread_.join();
}

void bare_streams::begin(int port, const std::string& target,
                         stream_watch& watch) {
  boost::asio::post(io_, [=, this, &watch] {
    std::make_shared<call>(io_, target, watch)->begin(port);
  });
}

} // namespace bench
