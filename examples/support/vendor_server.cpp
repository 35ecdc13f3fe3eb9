#include "vendor_server.hpp"

#include "vendor_wire.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace examples {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using answer_message = http::response<http::string_body>;

constexpr std::uint64_t body_bytes_max = 64U << 20U;

/// What all connections use.
struct shared_parts {
  vendor_server::script answer;
  std::atomic<std::size_t> requests{0};
};

answer_message message_of(std::string body, int status, bool keep_alive) {
  answer_message out{static_cast<http::status>(status), 11};
  out.set(http::field::content_type, "application/json");
  out.keep_alive(keep_alive);
  out.body() = std::move(body);
  out.prepare_payload();
  return out;
}

struct delayed_answer {
  answer_message message;
  std::chrono::milliseconds delay{0};
  std::vector<std::string> pieces = {}; ///< The body, if it is streamed.
  std::chrono::milliseconds pace{0};    ///< Between them.
};

/// Nothing: hang up.
std::optional<delayed_answer>
answer_of(const http::request<http::string_body>& in, shared_parts& shared) {
  const auto api =
    vendor_wire::api_of({in.target().data(), in.target().size()});
  if (!api)
    return delayed_answer{
      message_of(R"({"error":"no such path"})", 404, in.keep_alive())};
  error_code ec;
  auto body = boost::json::parse(in.body(), ec);
  if (ec)
    return delayed_answer{
      message_of(R"({"error":"the body is no JSON"})", 400, in.keep_alive())};
  const auto request = vendor_wire::read(*api, std::move(body));
  const auto turn = shared.answer(request);
  const auto id = ++shared.requests;
  if (turn.hang_up)
    return std::nullopt;
  auto pieces = vendor_wire::write_stream(request, turn, id);
  auto out = message_of(pieces.empty() ? vendor_wire::write(request, turn, id)
                                       : std::string{},
                        turn.status, in.keep_alive());
  if (!pieces.empty()) {
    out.set(http::field::content_type, "text/event-stream");
    out.chunked(true);
  }
  if (turn.retry_after_s >= 0)
    out.set(http::field::retry_after, std::to_string(turn.retry_after_s));
  return delayed_answer{std::move(out), turn.delay, std::move(pieces),
                        turn.pace};
}

/// Read, answer, again, until the client has enough.
class connection : public std::enable_shared_from_this<connection> {
public:
  connection(tcp::socket socket, shared_parts& shared)
    : socket_(std::move(socket)), timer_(socket_.get_executor()),
      shared_(shared) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(body_bytes_max);
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](error_code ec, std::size_t) {
                       if (!ec)
                         self->answer();
                     });
  }

private:
  void answer() {
    auto made = answer_of(parser_->get(), shared_);
    if (!made)
      return; // The last owner goes, and the socket with it.
    answer_ = std::move(made->message);
    pieces_ = std::move(made->pieces);
    pace_ = made->pace;
    after(made->delay,
          pieces_.empty() ? &connection::write : &connection::write_head);
  }

  void after(std::chrono::milliseconds delay, void (connection::*next)()) {
    if (delay.count() <= 0)
      return (this->*next)();
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this(), next](error_code ec) {
      if (!ec)
        (self.get()->*next)();
    });
  }

  void write_head() {
    next_piece_ = 0;
    serializer_.emplace(answer_);
    http::async_write_header(
      socket_, *serializer_,
      [self = shared_from_this()](error_code ec, std::size_t) {
        if (!ec)
          self->write_piece();
      });
  }

  void write_piece() {
    if (next_piece_ == pieces_.size())
      return write_end();
    asio::async_write(socket_,
                      http::make_chunk(asio::buffer(pieces_[next_piece_++])),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (!ec)
                          self->after(self->pace_, &connection::write_piece);
                      });
  }

  void write_end() {
    asio::async_write(socket_, http::make_chunk_last(),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (!ec && self->answer_.keep_alive())
                          self->read();
                      });
  }

  void write() {
    http::async_write(socket_, answer_,
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (!ec && self->answer_.keep_alive())
                          self->read();
                      });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  shared_parts& shared_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  answer_message answer_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::vector<std::string> pieces_;
  std::size_t next_piece_ = 0;
  std::chrono::milliseconds pace_{0};
};

} // namespace

struct vendor_server::impl {
  impl(script answer, int threads_wanted)
    : shared{std::move(answer)},
      acceptor(io, {asio::ip::address_v4::loopback(), 0}) {
    acceptor.listen(asio::socket_base::max_listen_connections);
    url =
      "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    accept();
    for (int i = 0; i < std::max(threads_wanted, 1); ++i)
      threads.emplace_back([this] { io.run(); });
  }

  ~impl() {
    io.stop();
    for (auto& thread : threads)
      thread.join();
  }

  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  void accept() {
    acceptor.async_accept(
      asio::make_strand(io), [this](error_code ec, tcp::socket socket) {
        if (!ec)
          std::make_shared<connection>(std::move(socket), shared)->read();
        accept(); // Also after an error: it was the client's.
      });
  }

  shared_parts shared;
  asio::io_context io;
  tcp::acceptor acceptor;
  std::string url;
  std::vector<std::thread> threads;
};

vendor_server::vendor_server(script answer, int threads)
  : impl_(std::make_unique<impl>(std::move(answer), threads)) {}

vendor_server::~vendor_server() = default;

std::string vendor_server::url() const {
  return impl_->url;
}

std::size_t vendor_server::requests() const {
  return impl_->shared.requests;
}

} // namespace examples
