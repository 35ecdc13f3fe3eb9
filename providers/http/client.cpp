#include <kestrion/providers/http/client.hpp>

#include <kestrion/providers/http/internal/session.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/string.hpp>
#include <openssl/ssl.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

namespace kestrion {

namespace {

using http_internal::asio::executor_work_guard;
using http_internal::asio::io_context;

bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
  });
}

/// The values are not quoted: they may be secrets.
result<http_url> check(const http_request& request) {
  if (!is_token(request.method))
    return error{errc::invalid_argument, "the HTTP method is no token"};
  for (const auto& header : request.headers) {
    if (!is_token(header.name))
      return error{errc::invalid_argument, "a header's name is no token"};
    if (!is_field_value(header.value))
      return error{errc::invalid_argument,
                   "the header " + header.name
                     + " holds a line break or another control character"};
  }
  return parse_http_url(request.url);
}

} // namespace

std::string_view to_string(http_step step) {
  switch (step) {
    case http_step::check: return "check";
    case http_step::resolve: return "resolve";
    case http_step::connect: return "connect";
    case http_step::handshake: return "handshake";
    case http_step::write: return "write";
    case http_step::first_byte: return "first_byte";
    case http_step::body: return "body";
  }
  return "unknown";
}

std::optional<std::string_view> find_header(const http_headers& headers,
                                            std::string_view name) {
  for (const auto& header : headers)
    if (boost::beast::iequals(header.name, name))
      return header.value;
  return std::nullopt;
}

namespace http_internal {

shared_parts::shared_parts(http_client_options o)
  : options(std::move(o)), io(std::max(options.threads, 1)),
    idle(io, options.idle_per_origin_max, options.idle_max),
    names(options.resolver) {
  load_certificates();
}

void shared_parts::load_certificates() {
  boost::system::error_code ec;
  tls.set_default_verify_paths(ec);
  if (ec)
    tls_problem = {errc::io,
                   "the system's CAs cannot be read: " + ec.message()};
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  if (!options.ca_file.empty() && tls.load_verify_file(options.ca_file, ec))
    tls_problem = {errc::invalid_argument,
                   "the CA file \"" + options.ca_file
                     + "\" cannot be used: " + ec.message()};
  if (!options.ca_pem.empty()
      && tls.add_certificate_authority(asio::buffer(options.ca_pem), ec))
    tls_problem = {errc::invalid_argument,
                   "the CA certificates given as text cannot be used: "
                     + ec.message()};
}

} // namespace http_internal

struct http_client::impl : std::enable_shared_from_this<impl> {
  explicit impl(http_client_options options) : shared(std::move(options)) {}

  void run() {
    for (;;) {
      try {
        shared.io.run();
        return;
      } catch (...) { // NOLINT(bugprone-empty-catch)
        // A callback broke its promise not to throw; other calls go on.
      }
    }
  }

  void check_and_start(http_request request, const std::stop_token& stop,
                       std::shared_ptr<http_body_sink> sink,
                       http_callback done);
  void start(http_request request, http_url url, const std::stop_token& stop,
             std::shared_ptr<http_body_sink> sink, http_callback done);
  void fail(error why, http_callback done);
  void stop();

  http_internal::shared_parts shared;
  executor_work_guard<io_context::executor_type> work{shared.io.get_executor()};
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::map<std::uint64_t, std::weak_ptr<http_internal::session>> live;
  std::uint64_t next = 0;
};

void http_client::impl::check_and_start(http_request request,
                                        const std::stop_token& stop,
                                        std::shared_ptr<http_body_sink> sink,
                                        http_callback done) {
  auto url = check(request);
  if (!url)
    return fail(std::move(url).error(), std::move(done));
  if (url->tls && shared.tls_problem)
    return fail(*shared.tls_problem, std::move(done));
  start(std::move(request), std::move(*url), stop, std::move(sink),
        std::move(done));
}

void http_client::impl::start(http_request request, http_url url,
                              const std::stop_token& stop,
                              std::shared_ptr<http_body_sink> sink,
                              http_callback done) {
  std::shared_ptr<http_internal::session> call;
  {
    const std::lock_guard lock{mutex};
    const auto id = next++;
    call = std::make_shared<http_internal::session>(
      shared, std::move(request), std::move(url), std::move(sink),
      std::move(done), [this, id] {
        const std::lock_guard again{mutex};
        live.erase(id);
      });
    live.emplace(id, call);
  }
  call->start(stop);
}

void http_client::impl::fail(error why, http_callback done) {
  http_internal::asio::post(
    shared.io, [why = std::move(why), done = std::move(done)]() mutable {
      done(http_failure{std::move(why), http_step::check, true});
    });
}

void http_client::impl::stop() {
  std::vector<std::shared_ptr<http_internal::session>> calls;
  {
    const std::lock_guard lock{mutex};
    for (const auto& [id, weak] : live)
      if (auto call = weak.lock())
        calls.push_back(std::move(call));
  }
  for (const auto& call : calls)
    call->cancel();
  calls.clear();
  shared.idle.close();
  work.reset(); // The threads end when the last handler has run.
  for (auto& thread : threads) {
    if (thread.get_id() == std::this_thread::get_id())
      thread.detach(); // A callback dropped us; this thread owns impl as well.
    else
      thread.join();
  }
}

http_client::http_client(http_client_options options)
  : impl_(std::make_shared<impl>(std::move(options))) {
  for (int i = 0; i < std::max(impl_->shared.options.threads, 1); ++i)
    impl_->threads.emplace_back([self = impl_] { self->run(); });
}

http_client::~http_client() {
  impl_->stop();
}

void http_client::request(http_request request, const std::stop_token& stop,
                          http_callback done) {
  impl_->check_and_start(std::move(request), stop, nullptr, std::move(done));
}

void http_client::stream(http_request request, const std::stop_token& stop,
                         std::shared_ptr<http_body_sink> sink,
                         http_callback done) {
  ensure(sink != nullptr, "a streamed call needs a sink");
  impl_->check_and_start(std::move(request), stop, std::move(sink),
                         std::move(done));
}

std::size_t http_client::idle_connections() const {
  return impl_->shared.idle.size();
}

std::shared_ptr<http_client> shared_http_client() {
  static std::mutex mutex;
  static std::weak_ptr<http_client> last;
  const std::lock_guard lock{mutex};
  auto client = last.lock();
  if (!client)
    last = client = std::make_shared<http_client>();
  return client;
}

} // namespace kestrion
