#pragma once

#include <kestrion/providers/models/anthropic_wire.hpp>
#include <kestrion/providers/models/ollama_wire.hpp>
#include <kestrion/providers/models/openai_wire.hpp>
#include <kestrion/providers/models/responses_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kestrion::test {

/// One vendor's way to answer, in pieces and whole.
struct wire_vendor {
  std::string name; ///< Starts the names of its golden streams.
  framing frames = framing::server_sent_events;
  std::function<std::unique_ptr<stream_decoder>()> decoder;
  std::function<model_outcome(const http_response&)> from_wire;
};

inline http_response stream_head() {
  return {200, {{"request-id", "req_1"}, {"x-request-id", "req_1"}}, {}};
}

inline std::vector<wire_vendor> wire_vendors() {
  const anthropic_options claude{.model = "claude-opus-5-5"};
  const openai_options chat{.model = "gpt-5.4"};
  const openai_responses_options responses{.model = "gpt-6-sol"};
  const ollama_options qwen{.model = "qwen3"};
  const auto sse = framing::server_sent_events;
  return {
    {"anthropic", sse,
     [=] { return anthropic_wire::decoder(claude, stream_head(), wire_now); },
     [=](const http_response& a) {
       return anthropic_wire::from_wire(a, claude, wire_now);
     }},
    {"openai", sse,
     [=] { return openai_wire::decoder(chat, stream_head(), wire_now); },
     [=](const http_response& a) {
       return openai_wire::from_wire(a, chat, wire_now);
     }},
    {"responses", sse,
     [=] {
       return responses_wire::decoder(responses, stream_head(), wire_now);
     },
     [=](const http_response& a) {
       return responses_wire::from_wire(a, responses, wire_now);
     }},
    {"ollama", framing::lines,
     [=] { return ollama_wire::decoder(qwen, stream_head(), wire_now); },
     [=](const http_response& a) {
       return ollama_wire::from_wire(a, qwen, wire_now);
     }}};
}

/// What came of a stream.
struct streamed {
  std::vector<model_delta> deltas;
  model_outcome outcome;
};

/// Reads a body that comes in these pieces.
inline streamed read_stream(const wire_vendor& vendor,
                            const std::vector<std::string_view>& pieces) {
  streamed out;
  answer_stream answer{vendor.frames, vendor.decoder(), [&](model_delta d) {
                         out.deltas.push_back(std::move(d));
                       }};
  for (const auto piece : pieces)
    if (!answer.take(piece))
      break;
  out.outcome = answer.outcome();
  return out;
}

} // namespace kestrion::test
