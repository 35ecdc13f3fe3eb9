#include <kestrion/tests/support/loopback_server.hpp>

#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kestrion::test {

namespace {

struct ssl_context_free {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
};
struct ssl_free {
  void operator()(SSL* p) const { SSL_free(p); }
};
struct bio_free {
  void operator()(BIO* p) const { BIO_free(p); }
};
struct x509_free {
  void operator()(X509* p) const { X509_free(p); }
};
struct key_free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
using ssl_context = std::unique_ptr<SSL_CTX, ssl_context_free>;

void require(bool ok, const char* what) {
  if (!ok)
    throw std::runtime_error{std::string{"loopback server: "} + what};
}

std::unique_ptr<BIO, bio_free> bio_of(const std::string& text) {
  return std::unique_ptr<BIO, bio_free>{
    BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

ssl_context context_of(const tls_identity& identity) {
  ssl_context context{SSL_CTX_new(TLS_server_method())};
  const std::unique_ptr<X509, x509_free> certificate{PEM_read_bio_X509(
    bio_of(identity.certificate).get(), nullptr, nullptr, nullptr)};
  const std::unique_ptr<EVP_PKEY, key_free> key{PEM_read_bio_PrivateKey(
    bio_of(identity.key).get(), nullptr, nullptr, nullptr)};
  require(certificate && key
            && SSL_CTX_use_certificate(context.get(), certificate.get()) == 1
            && SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1,
          "the TLS identity is not usable");
  return context;
}

/// Bytes of the body that the head announces.
std::size_t body_size(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  std::string lower{head};
  for (auto& c : lower)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto at = lower.find(name);
  return at == std::string::npos
           ? 0
           : std::strtoul(lower.c_str() + at + name.size(), nullptr, 10);
}

class connection final : public loopback_connection {
public:
  connection(int socket, std::size_t index) : socket_(socket), index_(index) {}
  ~connection() override {
    ssl_.reset();
    const std::lock_guard lock{mutex_};
    ::close(socket_);
    socket_ = -1;
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  bool shake_hands(SSL_CTX* context) {
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), socket_);
    return SSL_accept(ssl_.get()) == 1;
  }

  std::size_t index() const override { return index_; }

  std::string read_request() override {
    std::size_t head_end = 0;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive())
        return {};
    head_end += 4;
    const auto end = head_end + body_size({received_.data(), head_end});
    while (received_.size() < end)
      if (!receive())
        return {};
    auto request = received_.substr(0, end);
    received_.erase(0, end);
    return request;
  }

  bool write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto n =
        ssl_
          ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
          : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  void wait_for_close() override {
    while (receive())
      received_.clear();
  }

  void half_close() override { ::shutdown(socket_, SHUT_WR); }

  void reset() override {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  /// Ends what blocks; from another thread.
  void interrupt() {
    const std::lock_guard lock{mutex_};
    if (socket_ >= 0)
      ::shutdown(socket_, SHUT_RDWR);
  }

private:
  bool receive() {
    char chunk[16'384];
    const auto n = ssl_ ? SSL_read(ssl_.get(), chunk, sizeof chunk)
                        : ::recv(socket_, chunk, sizeof chunk, 0);
    if (n <= 0)
      return false;
    received_.append(chunk, static_cast<std::size_t>(n));
    return true;
  }

  std::mutex mutex_; ///< Of `socket_` against `interrupt`.
  int socket_;
  std::size_t index_;
  std::unique_ptr<SSL, ssl_free> ssl_;
  std::string received_;
};

int listen_on_loopback() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(listener >= 0
            && ::bind(listener, reinterpret_cast<const sockaddr*>(&address),
                      sizeof address)
                 == 0
            && ::listen(listener, SOMAXCONN) == 0,
          "no port to listen on");
  return listener;
}

std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

} // namespace

struct loopback_server::impl {
  explicit impl(handler h)
    : play(std::move(h)), listener(listen_on_loopback()),
      port(port_of(listener)) {
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL.
  }

  void accept_all() {
    for (;;) {
      const int socket = ::accept(listener, nullptr, nullptr);
      if (socket < 0)
        return;
      const std::lock_guard lock{mutex};
      auto link = std::make_shared<connection>(socket, count++);
      links.emplace_back(link);
      threads.emplace_back([this, link = std::move(link)]() mutable {
        if (!tls || link->shake_hands(tls.get()))
          play(*link);
        link.reset(); // Closes it, before the thread is joined.
      });
      accepted.notify_all();
    }
  }

  void stop() {
    ::shutdown(listener, SHUT_RDWR);
    acceptor.join();
    ::close(listener);
    for (const auto& weak : links)
      if (const auto link = weak.lock())
        link->interrupt();
    for (auto& thread : threads)
      thread.join();
  }

  handler play;
  ssl_context tls;
  int listener;
  std::uint16_t port;
  std::thread acceptor;
  mutable std::mutex mutex;
  mutable std::condition_variable accepted;
  std::vector<std::weak_ptr<connection>> links;
  std::vector<std::thread> threads;
  std::size_t count = 0;
};

loopback_server::loopback_server(handler play)
  : impl_(std::make_unique<impl>(std::move(play))) {
  impl_->acceptor = std::thread{[this] {
    impl_->accept_all();
  }};
}

loopback_server::loopback_server(handler play, const tls_identity& identity)
  : impl_(std::make_unique<impl>(std::move(play))) {
  impl_->tls = context_of(identity);
  impl_->acceptor = std::thread{[this] {
    impl_->accept_all();
  }};
}

loopback_server::~loopback_server() {
  impl_->stop();
}

std::uint16_t loopback_server::port() const {
  return impl_->port;
}

std::string loopback_server::url() const {
  return url("127.0.0.1");
}

std::string loopback_server::url(const std::string& host) const {
  return (impl_->tls ? "https://" : "http://") + host + ":"
         + std::to_string(port());
}

std::size_t loopback_server::connections() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->count;
}

void loopback_server::wait_for_connections(std::size_t count) const {
  std::unique_lock lock{impl_->mutex};
  impl_->accepted.wait(lock, [&] { return impl_->count >= count; });
}

std::string ok_response(std::string_view body, std::string_view extra_headers) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
         + std::string{extra_headers} + "Content-Length: "
         + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

bool allow_open_files(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return false;
  if (limit.rlim_cur >= count)
    return true;
  limit.rlim_cur = count;
  return limit.rlim_max >= count && ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

} // namespace kestrion::test
