#include "model_server.hpp"

#include "vendor_bytes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto serve_word = "--serve-models";

/// A socket that listens on a free port, inherited by programs started here.
int listen_anywhere() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0
      || listen(fd, SOMAXCONN) != 0)
    throw std::runtime_error("no port can be listened on");
  return fd;
}

int port_of(int fd) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

/// The parts of "/paced/1000/30/v1/messages".
std::vector<std::string> parts_of(std::string_view target) {
  std::vector<std::string> out;
  while (!target.empty()) {
    target.remove_prefix(1); // The slash.
    const auto end = std::min(target.find('/'), target.size());
    out.emplace_back(target.substr(0, end));
    target.remove_prefix(end);
  }
  return out;
}

/// What is made once.
struct answers {
  std::string whole = [] {
    std::string words;
    for (int i = 0; i < 200; ++i)
      words += "word ";
    return whole_answer(words);
  }();
  std::map<std::string, std::string> floods; ///< By vendor and bytes.

  const std::string& flood(const std::string& name, const std::string& bytes) {
    auto& made = floods[name + bytes];
    if (made.empty())
      made = stream_of(vendor_of(name), std::stoul(bytes)).bytes;
    return made;
  }
};

/// Read, answer, again, until the client has enough.
class serving : public std::enable_shared_from_this<serving> {
public:
  serving(tcp::socket socket, answers& all, std::size_t number)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), answers_(all),
      number_(number) {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
  }

  void read() {
    parser_.emplace();
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](error_code ec, std::size_t) {
                       if (!ec)
                         self->answer();
                     });
  }

private:
  void answer() {
    const auto target = parser_->get().target();
    const auto path = parts_of({target.data(), target.size()});
    if (path.size() > 2 && path[0] == "whole")
      return after(std::chrono::milliseconds{std::stoi(path[1])},
                   &serving::write_whole);
    if (path.size() > 3 && path[0] == "flood")
      return write_flood(answers_.flood(path[1], path[2]));
    if (path.size() > 3 && path[0] == "paced") {
      pace_ = std::chrono::milliseconds{std::stoi(path[1])};
      tokens_ = std::stoi(path[2]);
      next_ = 0;
      return write_head();
    }
    throw std::runtime_error("no such path: " + std::string{target});
  }

  void after(std::chrono::microseconds delay, void (serving::*next)()) {
    if (delay.count() == 0)
      return (this->*next)();
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this(), next](error_code ec) {
      if (!ec)
        ((*self).*next)();
    });
  }

  void write(std::string bytes, void (serving::*next)()) {
    out_ = std::move(bytes);
    write_view(out_, next);
  }
  void write_view(std::string_view bytes, void (serving::*next)()) {
    asio::async_write(
      socket_, asio::buffer(bytes.data(), bytes.size()),
      [self = shared_from_this(), next](error_code ec, std::size_t) {
        if (!ec)
          ((*self).*next)();
      });
  }

  void write_whole() {
    write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          "Content-Length: "
            + std::to_string(answers_.whole.size()) + "\r\n\r\n"
            + answers_.whole,
          &serving::read);
  }

  static std::string head_of_stream(const std::string& more) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + more
           + "\r\n";
  }

  /// In chunks of 16 KiB, as servers do that are behind in writing.
  void write_flood(const std::string& body) {
    constexpr std::size_t piece = 16U << 10U;
    auto& made = chunked_;
    if (chunked_of_ != &body) {
      chunked_of_ = &body;
      made = head_of_stream("Transfer-Encoding: chunked\r\n");
      for (std::size_t at = 0; at < body.size(); at += piece)
        made += chunk(std::string_view{body}.substr(at, piece));
      made += "0\r\n\r\n";
    }
    write_view(made, &serving::read);
  }

  static std::string chunk(std::string_view bytes) {
    std::array<char, 24> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    return std::string{size.data()}.append(bytes).append("\r\n");
  }

  void write_head() {
    write(head_of_stream("Transfer-Encoding: chunked\r\n")
            + chunk(stream_head(vendor::anthropic)),
          &serving::wait_for_first);
  }
  void wait_for_first() {
    constexpr double golden = 0.618033988749;
    const auto part = static_cast<double>(number_ + 1) * golden;
    after(std::chrono::microseconds{static_cast<std::int64_t>(
            (part - std::floor(part)) * static_cast<double>(pace_.count())
            * 1'000)},
          &serving::write_token);
  }
  void write_token() {
    const auto number = next_++;
    write(chunk(stream_token(vendor::anthropic, std::to_string(number) + "@"
                                                  + std::to_string(steady_us())
                                                  + " ")),
          next_ < tokens_ ? &serving::wait_for_token : &serving::write_tail);
  }
  void wait_for_token() {
    timer_.expires_at(timer_.expiry() + pace_); // No drift.
    timer_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec)
        self->write_token();
    });
  }
  void write_tail() {
    write(chunk(stream_tail(vendor::anthropic, {})) + "0\r\n\r\n",
          &serving::read);
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  answers& answers_;
  const std::size_t number_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string out_;
  std::string chunked_;
  const std::string* chunked_of_ = nullptr;
  std::chrono::milliseconds pace_{0};
  int tokens_ = 0;
  int next_ = 0;
};

class listener {
public:
  listener(asio::io_context& io, int fd) : acceptor_(io, tcp::v4(), fd) {
    accept();
  }

private:
  void accept() {
    acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
      if (!ec)
        std::make_shared<serving>(std::move(socket), answers_, number_++)
          ->read();
      accept();
    });
  }

  tcp::acceptor acceptor_;
  answers answers_;
  std::size_t number_ = 0;
};

} // namespace

model_server::model_server()
  : listener_(listen_anywhere()), port_(port_of(listener_)),
    process_({serve_word, std::to_string(listener_)}) {
  process_.wait_until_ready();
  close(listener_);
}

std::string model_server::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::string model_server::whole_url(std::chrono::milliseconds thinks) const {
  return url("/whole/" + std::to_string(thinks.count()));
}

std::string model_server::flood_url(std::string_view name,
                                    std::size_t bytes) const {
  return url("/flood/" + std::string{name} + "/" + std::to_string(bytes));
}

std::string model_server::paced_url(std::chrono::milliseconds pace,
                                    int tokens) const {
  return url("/paced/" + std::to_string(pace.count()) + "/"
             + std::to_string(tokens));
}

bool serve_models(int argc, char** argv) {
  if (argc != 3 || std::string_view{argv[1]} != serve_word)
    return false;
  asio::io_context io{1};
  const listener all{io, std::stoi(argv[2])};
  say_ready();
  io.run();
  return true;
}

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
           std::chrono::steady_clock::now().time_since_epoch())
    .count();
}

void need_descriptors(std::size_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < needed)
    throw std::runtime_error("this needs " + std::to_string(needed)
                             + " descriptors; ulimit -Hn allows "
                             + std::to_string(limit.rlim_max));
}

} // namespace bench
