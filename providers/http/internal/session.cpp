#include <kestrion/providers/http/internal/session.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>

namespace kestrion::http_internal {

using clock = std::chrono::steady_clock;

namespace {

/// No sum of it with the time of day overflows.
constexpr duration forever = std::chrono::hours{24 * 365};

/// How long an answer that nobody wants more of may take to end, so that its
/// connection serves another call.
constexpr duration drain_max = std::chrono::seconds{1};

std::string milliseconds(duration d) {
  return std::to_string(
           std::chrono::duration_cast<std::chrono::milliseconds>(d).count())
         + " ms";
}

http::request<http::string_body> message_of(http_request request,
                                            const http_url& url,
                                            const std::string& user_agent) {
  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(url.target);
  message.version(11);
  message.set(http::field::host, url.authority());
  message.set(http::field::user_agent, user_agent);
  for (const auto& header : request.headers)
    message.insert(header.name, header.value);
  message.body() = std::move(request.body);
  message.prepare_payload();
  return message;
}

/// Without the body.
template <class Message>
http_response response_of(const Message& message) {
  http_response response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message.base())
    response.headers.push_back(
      {std::string{field.name_string()}, std::string{field.value()}});
  return response;
}

} // namespace

session::session(shared_parts& shared, http_request request, http_url url,
                 std::shared_ptr<http_body_sink> sink, http_callback done,
                 std::function<void()> on_end)
  : shared_(shared), strand_(asio::make_strand(shared.io)), timer_(shared.io),
    url_(std::move(url)), origin_(url_.origin()), sink_(std::move(sink)),
    done_(std::move(done)), on_end_(std::move(on_end)),
    timeout_(std::clamp(request.timeout, duration{}, forever)),
    repeatable_(request.repeatable) {
  message_ = message_of(std::move(request), url_, shared.options.user_agent);
}

void session::start(const std::stop_token& stop) {
  deadline_ = clock::now() + timeout_;
  asio::post(strand_, [self = shared_from_this(), stop] {
    if (self->finished_)
      return;
    if (stop.stop_requested())
      return self->fail(errc::cancelled, "the call was cancelled");
    self->on_stop_.emplace(stop, [weak = self->weak_from_this()] {
      if (const auto target = weak.lock())
        target->cancel();
    });
    self->begin();
  });
}

void session::cancel() {
  asio::post(strand_, [self = shared_from_this()] {
    self->fail(errc::cancelled, "the call was cancelled");
  });
}

void session::begin() {
  link_ = shared_.idle.take(origin_);
  reused_ = link_ != nullptr;
  if (reused_)
    write();
  else
    resolve();
}

void session::resolve() {
  enter(http_step::resolve, shared_.options.timeouts.resolve);
  error_code not_numeric;
  asio::ip::make_address(url_.host, not_numeric);
  if (!not_numeric)
    return on_addresses(std::vector{url_.host});
  shared_.names.find(url_.host, [weak = weak_from_this()](addresses found) {
    const auto self = weak.lock();
    if (!self)
      return;
    asio::post(self->strand_, [self, found = std::move(found)] {
      if (!self->finished_)
        self->on_addresses(found);
    });
  });
}

void session::on_addresses(const addresses& found) {
  if (!found)
    return fail(found.error().code, found.error().detail);
  addresses_ = *found;
  last_problem_ = "the host has no address";
  connect_next();
}

void session::connect_next() {
  if (next_address_ == addresses_.size())
    return fail(errc::io, last_problem_);
  enter(http_step::connect, shared_.options.timeouts.connect);
  error_code not_numeric;
  const auto address =
    asio::ip::make_address(addresses_[next_address_++], not_numeric);
  if (not_numeric) {
    last_problem_ = "the resolver returned \"" + addresses_[next_address_ - 1]
                    + "\", which is no IP address";
    return connect_next();
  }
  link_ = std::make_unique<connection>(shared_.io);
  link_->socket.async_connect({address, url_.port},
                              then(&session::on_connected));
}

void session::on_connected(error_code ec) {
  if (!ec && !link_->socket.is_open())
    ec = asio::error::timed_out; // Both happened; `on_time` was first.
  if (ec) {
    last_problem_ = ec.message();
    return connect_next();
  }
  error_code ignored; // Only slower without it.
  link_->socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
  if (!url_.tls)
    return write();
  enter(http_step::handshake, shared_.options.timeouts.handshake);
  try {
    link_->secure(shared_.tls, url_.host);
  } catch (const std::exception& e) {
    return fail(errc::io, e.what());
  }
  link_->tls->async_handshake(asio::ssl::stream_base::client,
                              then(&session::on_handshake));
}

void session::on_handshake(error_code ec) {
  if (!ec)
    return write();
  if (const auto problem = link_->certificate_problem(); !problem.empty())
    return fail(errc::unauthenticated,
                "the server's certificate is not accepted: " + problem);
  fail(errc::io, ec.message());
}

void session::write() {
  enter(http_step::write, shared_.options.timeouts.write);
  sent_ = true;
  link_->with_stream([this](auto& stream) {
    http::async_write(stream, message_, then(&session::on_written));
  });
}

void session::on_written(error_code ec, std::size_t) {
  // A server that refuses a body may answer and close before it has it all, so
  // look for an answer all the same.
  write_problem_ = ec;
  enter(http_step::first_byte, shared_.options.timeouts.first_byte);
  read_head();
}

void session::read_head() {
  parser_.emplace();
  parser_->header_limit(
    static_cast<std::uint32_t>(shared_.options.header_bytes_max));
  parser_->body_limit(shared_.options.body_bytes_max);
  link_->with_stream([this](auto& stream) {
    http::async_read_header(stream, link_->received, *parser_,
                            then(&session::on_head));
  });
}

void session::on_head(error_code ec, std::size_t) {
  if (ec)
    return fail_read(ec);
  const auto& head = parser_->get();
  if (head.result_int() / 100 == 1)
    return read_head(); // Interim, such as 103; the answer follows.
  if (sink_
      && (head.result_int() / 100 != 2 || !sink_->begin(response_of(head))))
    sink_.reset();
  step_ = http_step::body; // Some of it may have come with the head.
  on_body(parse_received(), 0);
}

void session::read_body() {
  const auto& limits = shared_.options.timeouts;
  enter(http_step::body, sink_ ? limits.silence : limits.body);
  link_->with_stream([this](auto& stream) {
    http::async_read_some(stream, link_->received, *parser_,
                          then(&session::on_body));
  });
}

void session::on_body(error_code ec, std::size_t bytes) {
  const bool was_full =
    bytes + link_->received.size() >= link_->received.capacity();
  if (!ec)
    ec = parse_received();
  if (was_full)
    read_more_at_once();
  if (!hand_out()) // What came before an error goes out, too.
    return parser_->is_done() ? succeed() : succeed_early(ec);
  if (ec)
    return fail_read(ec);
  if (parser_->is_done())
    return succeed();
  read_body();
}

/// Beast stops after each chunk; this takes all that was received at once.
session::error_code session::parse_received() {
  while (!parser_->is_done() && link_->received.size() > 0) {
    error_code ec;
    link_->received.consume(parser_->put(link_->received.data(), ec));
    if (ec == http::error::need_more)
      return {};
    if (ec)
      return ec;
  }
  return {};
}

/// Beast reads as much as the buffer has room for, 512 bytes at first: enough
/// for a stream of tokens, of which there may be thousands, but slow for one
/// that does not stop.
void session::read_more_at_once() {
  constexpr std::size_t most = 32U << 10U;
  auto& buffer = link_->received;
  buffer.reserve(std::min(2 * buffer.capacity(), most));
}

/// Gives the sink what is there. @returns False if it wants no more.
bool session::hand_out() {
  if (done_ && !sink_)
    return true; // Read whole.
  auto& body = parser_->get().body();
  const bool more = body.empty() || !sink_ || sink_->take(body);
  body.clear();
  return more;
}

http_response session::take_response() {
  auto message = parser_->release();
  auto response = response_of(message);
  response.body = std::move(message.body());
  return response;
}

void session::succeed() {
  const bool reusable =
    parser_->keep_alive() && !write_problem_ && link_->received.size() == 0;
  auto response = done_ ? take_response() : http_response{};
  if (reusable)
    shared_.idle.put(origin_, std::move(link_));
  settle(std::move(response));
}

/// The sink has its answer: what is left of the body must not delay it.
void session::succeed_early(error_code ec) {
  auto response = response_of(parser_->get());
  on_stop_.reset();
  deadline_ = clock::now() + drain_max;
  if (ec)
    return settle(std::move(response));
  hand_over(std::move(response));
  read_body();
}

void session::fail_read(error_code ec) {
  if (try_again_on_a_fresh_connection())
    return;
  const auto& limits = shared_.options;
  if (ec == http::error::body_limit)
    return fail(errc::limit_exceeded, "the answer is larger than the limit of "
                                        + std::to_string(limits.body_bytes_max)
                                        + " bytes");
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return fail(errc::limit_exceeded,
                "the answer's header is larger than the limit of "
                  + std::to_string(limits.header_bytes_max) + " bytes");
  if (ec == http::error::end_of_stream || ec == http::error::partial_message
      || ec == asio::error::eof || ec == asio::ssl::error::stream_truncated)
    return fail(errc::io, parser_->got_some()
                            ? "the connection closed in the middle of an answer"
                            : "the connection closed without an answer");
  if (ec.category() == make_error_code(http::error::bad_version).category())
    return fail(errc::corrupt, "the answer is no HTTP: " + ec.message());
  fail(errc::io, (write_problem_ ? write_problem_ : ec).message());
}

/// A kept connection may have died unseen; then no byte ever comes back.
bool session::try_again_on_a_fresh_connection() {
  if (!reused_ || !repeatable_ || parser_->got_some())
    return false;
  reused_ = false;
  write_problem_ = {};
  link_.reset();
  resolve();
  return true;
}

void session::fail(errc code, std::string detail) {
  if (finished_)
    return;
  settle(http_failure{{code, "calling " + origin_ + " ended in step "
                               + std::string{to_string(step_)} + ": "
                               + std::move(detail)},
                      step_,
                      !sent_});
}

void session::settle(http_outcome outcome) {
  finished_ = true;
  timer_.cancel();
  on_stop_.reset();
  if (link_)
    link_->close(); // Ends what is pending; its handlers find it finished.
  on_end_();
  hand_over(std::move(outcome));
}

void session::hand_over(http_outcome outcome) {
  sink_.reset();
  if (done_)
    std::exchange(done_, nullptr)(std::move(outcome));
}

void session::enter(http_step step, duration limit) {
  step_ = step;
  step_limit_ = std::clamp(limit, duration{}, forever);
  timer_.expires_at(std::min(clock::now() + step_limit_, deadline_));
  timer_.async_wait(
    asio::bind_executor(strand_, [self = shared_from_this()](error_code ec) {
      if (!ec && !self->finished_)
        self->on_time();
    }));
}

void session::on_time() {
  const auto now = clock::now();
  if (now < timer_.expiry())
    return; // Of an earlier step, which ended just before its limit.
  if (now >= deadline_)
    return fail(errc::timeout,
                "the whole call took longer than " + milliseconds(timeout_));
  const auto problem = "it took longer than " + milliseconds(step_limit_);
  if (step_ != http_step::connect || next_address_ == addresses_.size())
    return fail(errc::timeout, problem);
  link_->close(); // Its handler goes on with the next address.
}

} // namespace kestrion::http_internal
