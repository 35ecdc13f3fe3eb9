#include <kestrion/providers/models/cassette.hpp>

#include <kestrion/providers/models/cassette_file.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string_view>
#include <utility>

namespace kestrion {

namespace {

using cassette_file::exchange;
using cassette_file::redactor;

error refused(std::string why) {
  return {errc::refused, std::move(why)};
}

// -- recording ----------------------------------------------------------------

/// The file, which calls that end at the same time share.
class tape {
public:
  explicit tape(const std::string& file)
    : name_(file), out_(file, std::ios::trunc | std::ios::binary) {
    if (!(out_ << cassette_file::header() << std::flush))
      throw failure({errc::io, "the cassette " + file + " can't be written"});
  }

  void add(const exchange& x) {
    const std::lock_guard lock{mutex_};
    out_ << cassette_file::write(x) << std::flush;
  }

  void check() const {
    const std::lock_guard lock{mutex_};
    if (!out_)
      throw failure(
        {errc::io, "not all could be written to the cassette " + name_});
  }

private:
  const std::string name_;
  mutable std::mutex mutex_;
  std::ofstream out_;
};

/// Keeps what goes to another sink.
class listening_sink final : public http_body_sink {
public:
  explicit listening_sink(std::shared_ptr<http_body_sink> inner)
    : inner_(std::move(inner)) {}

  bool begin(const http_response& seen) override {
    if (!inner_->begin(seen))
      return false;
    head = seen;
    return true;
  }
  bool take(std::string_view bytes) override {
    body += bytes;
    return inner_->take(bytes);
  }

  /// Its owner may count on that.
  void drop() { inner_.reset(); }

  std::optional<http_response> head; ///< Of a body that came here.
  std::string body;

private:
  std::shared_ptr<http_body_sink> inner_;
};

class recorder final : public cassette {
public:
  recorder(const std::string& file, cassette_options options)
    : tape_(std::make_shared<tape>(file)),
      redactor_(std::move(options.secrets)),
      http_(options.http ? std::move(options.http) : shared_http_client()) {}

  void request(http_request request, const std::stop_token& stop,
               http_callback done) override {
    auto call = begin(request);
    http_->request(std::move(request), stop,
                   [call, done = std::move(done)](http_outcome outcome) {
                     call->end(outcome);
                     done(std::move(outcome));
                   });
  }

  void stream(http_request request, const std::stop_token& stop,
              std::shared_ptr<http_body_sink> sink,
              http_callback done) override {
    auto call = begin(request);
    call->heard = std::make_shared<listening_sink>(std::move(sink));
    http_->stream(std::move(request), stop, call->heard,
                  [call, done = std::move(done)](http_outcome outcome) {
                    call->end(outcome);
                    call->heard->drop();
                    done(std::move(outcome));
                  });
  }

  bool is_real() const override { return http_->is_real(); }

  std::vector<std::string> unused() const override { return {}; }
  void expect_all_used() const override { tape_->check(); }

private:
  struct recording {
    std::shared_ptr<tape> to;
    redactor clean;
    exchange made;
    std::shared_ptr<listening_sink> heard = {};

    void end(const http_outcome& outcome) {
      if (const auto* f = std::get_if<http_failure>(&outcome)) {
        made.failure = *f;
        made.failure->error.detail = clean.text(made.failure->error.detail);
      } else {
        made.response = std::get<http_response>(outcome);
      }
      if (heard && heard->head) {
        made.is_streamed = true;
        made.response = std::move(heard->head);
        made.chunks = cassette_file::pieces_of(clean.text(heard->body));
      }
      if (made.response) {
        made.response->headers =
          cassette_file::worth_keeping(made.response->headers);
        made.response->body = clean.text(std::move(made.response->body));
      }
      to->add(made);
    }
  };

  std::shared_ptr<recording> begin(const http_request& request) const {
    auto clean = redactor_.with(request.headers);
    exchange made;
    made.method = request.method;
    made.url = clean.url(request.url);
    made.body = clean.text(request.body);
    return std::make_shared<recording>(
      recording{tape_, std::move(clean), std::move(made)});
  }

  const std::shared_ptr<tape> tape_;
  const redactor redactor_;
  const http_transport_ptr http_;
};

// -- playing back -------------------------------------------------------------

std::string sentence_of(const exchange& x) {
  return "line " + std::to_string(x.line) + ": " + x.method + " "
         + std::string{cassette_file::target_of(x.url)};
}

class player final : public cassette {
public:
  player(std::string file, std::vector<exchange> all, cassette_options options)
    : file_(std::move(file)), all_(std::move(all)), is_used_(all_.size()),
      redactor_(std::move(options.secrets)) {}

  void request(http_request request, const std::stop_token& stop,
               http_callback done) override {
    const auto found = take(request, stop);
    done(found ? whole(**found) : fail(found.error()));
  }

  void stream(http_request request, const std::stop_token& stop,
              std::shared_ptr<http_body_sink> sink,
              http_callback done) override {
    const auto found = take(request, stop);
    if (!found)
      return done(fail(found.error()));
    const auto& x = **found;
    if (!x.is_streamed || !sink->begin(*x.response))
      return done(whole(x));
    for (const auto& chunk : x.chunks)
      if (!sink->take(chunk))
        return done(*x.response);
    sink.reset();
    done(x.failure ? http_outcome{*x.failure} : *x.response);
  }

  bool is_real() const override { return false; }

  std::vector<std::string> unused() const override {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> out;
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (!is_used_[i])
        out.push_back(sentence_of(all_[i]));
    return out;
  }

  void expect_all_used() const override {
    const auto left = unused();
    const std::lock_guard lock{mutex_};
    if (!drift_.empty())
      throw failure(refused(drift_));
    if (left.empty())
      return;
    auto why = std::to_string(left.size()) + " of the "
               + std::to_string(all_.size()) + " exchanges of the cassette "
               + file_ + " were not asked for:";
    for (const auto& each : left)
      why += " " + each + ";";
    why.back() = '.';
    throw failure(refused(std::move(why)));
  }

private:
  static http_outcome fail(error why) {
    return http_failure{std::move(why), http_step::check, true};
  }

  static http_outcome whole(const exchange& x) {
    if (x.failure)
      return *x.failure;
    auto out = *x.response;
    for (const auto& chunk : x.chunks)
      out.body += chunk;
    return out;
  }

  result<const exchange*> take(const http_request& request,
                               const std::stop_token& stop) {
    if (stop.stop_requested())
      return error{errc::cancelled, "the call was cancelled"};
    const auto url = redactor_.url(request.url);
    const auto body = redactor_.text(request.body);
    const std::lock_guard lock{mutex_};
    std::optional<std::string> why;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (is_used_[i])
        continue;
      auto differs = difference(all_[i], request.method, url, body);
      if (!differs) {
        is_used_[i] = true;
        return &all_[i];
      }
      if (!why) // Of what would have been next.
        why = "differs from that of " + sentence_of(all_[i]) + ": " + *differs;
    }
    auto sentence =
      "the request " + request.method + " "
      + std::string{cassette_file::target_of(url)} + " is not in the cassette "
      + file_ + ": it "
      + why.value_or("comes when all " + std::to_string(all_.size())
                     + " exchanges have been used");
    if (drift_.empty())
      drift_ = sentence;
    return refused(std::move(sentence));
  }

  static std::optional<std::string> difference(const exchange& recorded,
                                               const std::string& method,
                                               const std::string& url,
                                               const std::string& body) {
    if (recorded.method != method)
      return "the method is " + method + ", recorded was " + recorded.method;
    const auto target = cassette_file::target_of(url);
    if (const auto other = cassette_file::target_of(recorded.url);
        other != target)
      return "the path is " + std::string{target} + ", recorded was "
             + std::string{other};
    return cassette_file::difference(recorded.body, body);
  }

  const std::string file_;
  const std::vector<exchange> all_;
  mutable std::mutex mutex_;
  std::vector<bool> is_used_;
  std::string drift_; ///< What was asked first of what is not there.
  const redactor redactor_;
};

} // namespace

cassette_ptr record(const std::string& file, cassette_options options) {
  return std::make_shared<recorder>(file, std::move(options));
}

cassette_ptr replay(const std::string& file, cassette_options options) {
  std::ifstream in{file, std::ios::binary};
  if (!in)
    throw failure(
      {errc::not_found, "there is no cassette " + file
                          + "; record one with kestrion::record, or with "
                            "record_or_replay and KESTRION_RECORD=1"});
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad())
    throw failure({errc::io, "the cassette " + file + " can't be read"});
  return std::make_shared<player>(file, cassette_file::read(text, file).value(),
                                  std::move(options));
}

cassette_ptr record_or_replay(const std::string& file,
                              cassette_options options) {
  const char* set = std::getenv( // NOLINT(concurrency-mt-unsafe)
    "KESTRION_RECORD");
  return set && std::string_view{set} == "1" ? record(file, std::move(options))
                                             : replay(file, std::move(options));
}

} // namespace kestrion
