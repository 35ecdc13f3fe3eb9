/// How many bytes a second of a streamed answer one processor takes in: the
/// whole way from the socket to the finished reply (`stream`), and of bytes
/// that are in memory already (`parse`: framing, JSON, the answer that it adds
/// up to). The ceiling of both is a blocking loop of Beast that reads the same
/// bytes from the same server and looks at none of them.
/// Answers come in tokens of a few letters each, as the vendors send them, so
/// most of the bytes are what is around them.
///
/// usage: bench_stream_throughput [MIB]   (8, of each stream)

#include "bare_client.hpp"
#include "figures.hpp"
#include "model_server.hpp"
#include "vendor_bytes.hpp"

#include <kestrion/actors/agent_code.hpp>
#include <kestrion/kestrion.hpp>
#include <kestrion/providers/models/anthropic_wire.hpp>
#include <kestrion/providers/models/ollama_wire.hpp>
#include <kestrion/providers/models/openai_wire.hpp>
#include <kestrion/providers/models/responses_wire.hpp>
#include <kestrion/providers/models/stream_decoder.hpp>

#include <cstdlib>
#include <future>
#include <stdexcept>
#include <vector>

namespace {

using bench::vendor;
using kestrion::model_outcome;

constexpr int turns = 7;

kestrion::http_response stream_head() {
  return {200, {{"Content-Type", "text/event-stream"}}, {}};
}

/// What of Kestrion a vendor's stream goes through.
struct subject {
  kestrion::framing frames = kestrion::framing::server_sent_events;
  std::function<std::unique_ptr<kestrion::stream_decoder>()> decoder;
  kestrion::model_ptr model;
  std::string path; ///< What the model adds to the base URL.
};

subject subject_of(vendor v, const std::string& url) {
  namespace k = kestrion;
  const auto now = k::system_now();
  const auto events = k::framing::server_sent_events;
  switch (v) {
    case vendor::anthropic: {
      const k::anthropic_options o{
        .model = "claude-opus-5-5", .base_url = url, .api_key = "none"};
      return {events,
              [=] { return k::anthropic_wire::decoder(o, stream_head(), now); },
              k::anthropic(o), "/v1/messages"};
    }
    case vendor::openai: {
      const k::openai_options o{
        .model = "gpt-5.4", .base_url = url, .api_key = "none"};
      return {events,
              [=] { return k::openai_wire::decoder(o, stream_head(), now); },
              k::openai(o), "/chat/completions"};
    }
    case vendor::responses: {
      const k::openai_responses_options o{
        .model = "gpt-5.4", .base_url = url, .api_key = "none"};
      return {events,
              [=] { return k::responses_wire::decoder(o, stream_head(), now); },
              k::openai_responses(o), "/responses"};
    }
    case vendor::ollama: {
      const k::ollama_options o{.model = "qwen3", .base_url = url};
      return {k::framing::lines,
              [=] { return k::ollama_wire::decoder(o, stream_head(), now); },
              k::ollama(o), "/api/chat"};
    }
  }
  throw std::invalid_argument("no such vendor");
}

/// @throws std::runtime_error  if it is not the text that was sent.
void check(const model_outcome& said, const std::string& text) {
  if (const auto* failed = std::get_if<kestrion::model_failure>(&said))
    throw std::runtime_error(failed->error.detail);
  const auto& parts = std::get<kestrion::model_reply>(said).parts;
  const auto* only =
    parts.size() == 1 ? std::get_if<kestrion::text_part>(&parts[0]) : nullptr;
  if (!only || only->text != text)
    throw std::runtime_error("the reply is not what was streamed");
}

model_outcome parse(const subject& s, std::string_view bytes,
                    std::size_t& shown) {
  constexpr std::size_t piece = 16U << 10U; // As they come from a socket.
  kestrion::answer_stream answer{s.frames, s.decoder(),
                                 [&](const kestrion::model_delta& d) {
                                   shown += d.text.size();
                                 }};
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    if (!answer.take(bytes.substr(at, piece)))
      break;
  return answer.outcome();
}

model_outcome stream(const subject& s, std::size_t& shown) {
  kestrion::agent agent{"a"};
  agent.model(s.model);
  const kestrion::model_request request{
    agent.build().value()->definition,
    {std::make_shared<const kestrion::message>(kestrion::user_message("Go."))},
    "run_1/m1"};
  std::promise<model_outcome> said;
  s.model->stream(
    request, {},
    [&](const kestrion::model_delta& d) { shown += d.text.size(); },
    [&](model_outcome o) { said.set_value(std::move(o)); });
  return said.get_future().get();
}

/// The processor time that it takes, of all threads of this process.
template <class F>
double cpu_of(F&& f) {
  const auto before = bench::cpu_time();
  f();
  return (bench::cpu_time() - before).count();
}

struct rates {
  std::vector<double> stream, parse, ceiling; ///< MB a second of processor.
};

rates measure(const bench::model_server& server, vendor v, std::size_t bytes) {
  const auto sent = bench::stream_of(v, bytes);
  const auto url = server.flood_url(bench::name_of(v), bytes);
  const auto s = subject_of(v, url);
  bench::bare_client bare{server.port()};
  const auto target = server.path_of(url) + s.path;
  const auto rate = [&](double cpu) {
    return static_cast<double>(sent.bytes.size()) / 1e6 / cpu;
  };
  const auto in_full = [&](std::size_t shown) {
    if (shown != sent.text.size())
      throw std::runtime_error("drafts were not shown in full");
  };
  rates out;
  for (int turn = 0; turn < turns; ++turn) {
    std::size_t shown = 0;
    model_outcome said;
    out.ceiling.push_back(rate(cpu_of([&] {
      if (bare.drain(target, "{}") != sent.bytes.size())
        throw std::runtime_error("the server sent something else");
    })));
    out.stream.push_back(rate(cpu_of([&] { said = stream(s, shown); })));
    in_full(shown);
    check(said, sent.text);
    shown = 0;
    out.parse.push_back(
      rate(cpu_of([&] { said = parse(s, sent.bytes, shown); })));
    in_full(shown);
    check(said, sent.text);
  }
  return out;
}

void print(vendor v, std::size_t bytes, const rates& r) {
  const auto ceiling = bench::median(r.ceiling);
  const auto ours = bench::median(r.stream);
  bench::print({{"bench", "stream_throughput"},
                {"vendor", std::string{bench::name_of(v)}},
                {"mib", bytes >> 20U},
                {"bytes_per_token", bench::stream_token(v, "word ").size()},
                {"stream_mb_per_s", bench::rounded(ours, 0)},
                {"parse_mb_per_s", bench::rounded(bench::median(r.parse), 0)},
                {"ceiling_mb_per_s", bench::rounded(ceiling, 0)},
                {"ratio", bench::rounded(ours / ceiling, 3)},
                {"tokens_per_s",
                 bench::rounded(ours * 1e6
                                  / static_cast<double>(
                                    bench::stream_token(v, "word ").size()),
                                0)}});
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("stream_throughput", [&] {
    if (bench::serve_models(argc, argv))
      return;
    const auto bytes =
      static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 8) << 20U;
    if (bytes == 0)
      throw std::invalid_argument("usage: bench_stream_throughput [MIB]");
    for (const auto v : {vendor::anthropic, vendor::openai, vendor::responses,
                         vendor::ollama}) {
      const bench::model_server server;
      print(v, bytes, measure(server, v, bytes));
    }
  });
}
