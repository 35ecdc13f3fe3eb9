/// 10,000 streamed answers at once, a token a second each, from a server in
/// another process: what one takes of memory, how late its tokens come, and
/// that none is lost. Three clients, one after the other: whole runs (`run`),
/// models without a runtime (`model`), and the ceiling, which is Beast alone
/// (`bare`), that looks for the tokens without reading the JSON around them.
/// Every token is counted, in its place.
///
/// usage: bench_concurrent_streams [STREAMS]   (10,000)

#include "bare_streams.hpp"
#include "figures.hpp"
#include "memory.hpp"
#include "model_server.hpp"
#include "stream_watch.hpp"

#include <kestrion/actors/agent_code.hpp>
#include <kestrion/kestrion.hpp>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;
using bench::stream_watch;

constexpr auto pace = 1'000ms;
constexpr int tokens = 30;
/// Between the starts of two streams: nobody starts 10,000 at a stroke.
constexpr auto between_starts = 300us;

/// A model whose drafts are watched on the way to who asked for them.
class watched_model final : public kestrion::model {
public:
  watched_model(kestrion::model_ptr inner, stream_watch& watch)
    : inner_(std::move(inner)), watch_(watch) {}

  std::string name() const override { return inner_->name(); }
  std::optional<kestrion::model_price> price() const override {
    return inner_->price();
  }
  kestrion::model_endpoint endpoint() const override {
    return inner_->endpoint();
  }
  void complete(kestrion::model_request request, std::stop_token stop,
                kestrion::model_callback done) override {
    inner_->complete(std::move(request), std::move(stop), std::move(done));
  }
  void stream(kestrion::model_request request, std::stop_token stop,
              kestrion::delta_sink on_delta,
              kestrion::model_callback done) override {
    inner_->stream(
      std::move(request), std::move(stop),
      [this, reader = std::make_shared<stream_watch::reader>(),
       on_delta = std::move(on_delta)](kestrion::model_delta d) {
        reader->take(d.text, watch_);
        on_delta(std::move(d));
      },
      std::move(done));
  }

private:
  const kestrion::model_ptr inner_;
  stream_watch& watch_;
};

struct measured {
  bench::memory each; ///< Bytes of one stream.
  stream_watch::figures seen;
  double cpu_of_one = 0; ///< Share of a processor, while all were streaming.
};

/// @param begin  Begins one stream.
measured measure(std::size_t streams, stream_watch& watch,
                 const bench::memory& before,
                 const std::function<void()>& begin) {
  auto next = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < streams; ++i) {
    std::this_thread::sleep_until(next += between_starts);
    begin();
  }
  bench::wait_until([&] { return watch.begun() == streams; },
                    "all streams have begun");
  const auto all_begun = bench::steady_us();
  measured out;
  out.each = bench::per_run(before, bench::memory_now(), streams);
  const auto looked = bench::steady_us();
  const auto cpu = bench::cpu_time();
  bench::wait_until([&] { return watch.first_end_us() != 0; },
                    "a stream has ended");
  const auto end = watch.first_end_us();
  out.cpu_of_one = (bench::cpu_time() - cpu).count()
                   / (static_cast<double>(bench::steady_us() - looked) / 1e6);
  out.seen = watch.between(all_begun, end);
  bench::wait_until(
    [&] { return watch.ended() == streams || watch.broken() != 0; },
    "all streams have ended");
  if (watch.broken() != 0)
    throw std::runtime_error("tokens were lost, doubled or out of place");
  if (end <= all_begun)
    throw std::runtime_error("streams ended before all had begun");
  return out;
}

kestrion::model_ptr model_of(const bench::model_server& server,
                             stream_watch& watch) {
  return std::make_shared<watched_model>(
    kestrion::anthropic({.model = "claude-opus-5-5",
                         .base_url = server.paced_url(pace, tokens),
                         .api_key = "none"}),
    watch);
}

measured measure_runs(const bench::model_server& server, std::size_t streams) {
  stream_watch watch{streams, tokens};
  kestrion::agent agent{"a"};
  agent.model(model_of(server, watch)).streams();
  kestrion::runtime rt{{.store = "memory:"}, {agent}};
  const auto before = bench::memory_now();
  auto out = measure(streams, watch, before, [&] { rt.start("a", "Go on."); });
  kestrion::run_query completed;
  completed.statuses = {kestrion::run_status::completed};
  completed.limit = streams + 1;
  bench::wait_until([&] { return rt.list(completed).size() == streams; },
                    "all runs have completed");
  return out;
}

measured measure_models(const bench::model_server& server,
                        std::size_t streams) {
  stream_watch watch{streams, tokens};
  const auto model = model_of(server, watch);
  kestrion::agent agent{"a"};
  agent.model(model);
  const auto definition = agent.build().value()->definition;
  std::atomic<std::size_t> failed{0};
  std::atomic<std::size_t> done{0};
  const auto before = bench::memory_now();
  auto out = measure(streams, watch, before, [&] {
    model->stream(
      {definition,
       {std::make_shared<const kestrion::message>(
         kestrion::user_message("Go on."))},
       "run_1/m1"},
      {}, [](const kestrion::model_delta&) {},
      [&](const kestrion::model_outcome& said) {
        failed += std::holds_alternative<kestrion::model_failure>(said);
        ++done;
      });
  });
  bench::wait_until([&] { return done == streams; }, "all calls have ended");
  if (failed != 0)
    throw std::runtime_error("model calls failed");
  return out;
}

measured measure_bare(const bench::model_server& server, std::size_t streams) {
  stream_watch watch{streams, tokens};
  const auto target =
    server.path_of(server.paced_url(pace, tokens)) + "/v1/messages";
  bench::bare_streams all;
  return measure(streams, watch, bench::memory_now(),
                 [&] { all.begin(server.port(), target, watch); });
}

void print(const char* client, std::size_t streams, const measured& m) {
  const auto ms = [&](double percent) {
    return bench::rounded(bench::percentile(m.seen.lags_ms, percent), 1);
  };
  bench::print(
    {{"bench", "concurrent_streams"},
     {"client", client},
     {"streams", streams},
     {"tokens", m.seen.tokens},
     {"dropped", 0}, // Or else it throws.
     {"heap_bytes_per_stream", bench::rounded(m.each.heap_bytes, 0)},
     {"resident_bytes_per_stream", bench::rounded(m.each.resident_bytes, 0)},
     {"lag_p50_ms", ms(50)},
     {"lag_p99_ms", ms(99)},
     {"lag_max_ms", ms(100)},
     {"pace_ms", pace.count()},
     {"gap_max_ms", bench::rounded(m.seen.gap_max_ms, 0)},
     {"processors", bench::rounded(m.cpu_of_one, 2)}});
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("concurrent_streams", [&] {
    if (bench::serve_models(argc, argv))
      return;
    const auto streams =
      static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 10'000);
    if (streams == 0)
      throw std::invalid_argument("usage: bench_concurrent_streams [STREAMS]");
    bench::need_descriptors(streams + 500);
    const auto measure_and_print = [&](const char* client, auto measure_it) {
      const bench::model_server server;
      print(client, streams, measure_it(server, streams));
    };
    measure_and_print("run", measure_runs);
    measure_and_print("model", measure_models);
    measure_and_print("bare", measure_bare);
  });
}
