#include "vendor_bytes.hpp"

#include <array>
#include <stdexcept>

namespace bench {

namespace {

struct wording {
  vendor who;
  std::string_view name;
  std::string_view head;
  std::string_view before_token;
  std::string_view after_token;
  std::string_view before_text; ///< Empty: the end does not repeat it.
  std::string_view tail;
};

constexpr std::array wordings{
  wording{
    vendor::anthropic, "anthropic",
    "event: message_start\n"
    R"(data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}})"
    "\n\nevent: content_block_start\n"
    R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
    "\n\n",
    "event: content_block_delta\n"
    R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")",
    "\"}}\n\n", "",
    "event: content_block_stop\n"
    R"(data: {"type":"content_block_stop","index":0})"
    "\n\nevent: message_delta\n"
    R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":200}})"
    "\n\nevent: message_stop\n"
    R"(data: {"type":"message_stop"})"
    "\n\n"},
  wording{
    vendor::openai, "openai",
    R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5.4-2026-03-05","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x1Y"})"
    "\n\n",
    R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5.4-2026-03-05","choices":[{"index":0,"delta":{"content":")",
    R"("},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x1Y"})"
    "\n\n",
    "",
    R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5.4-2026-03-05","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null,"obfuscation":"x1Y"})"
    "\n\n"
    R"(data: {"object":"chat.completion.chunk","model":"gpt-5.4-2026-03-05","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":200,"total_tokens":300}})"
    "\n\ndata: [DONE]\n\n"},
  wording{
    vendor::responses, "responses",
    "event: response.created\n"
    R"(data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","error":null,"incomplete_details":null,"model":"gpt-6-sol-2026-09-01","output":[],"store":false,"usage":null}})"
    "\n\nevent: response.output_item.added\n"
    R"(data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}})"
    "\n\n",
    "event: response.output_text.delta\n"
    R"(data: {"type":"response.output_text.delta","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"delta":")",
    "\",\"logprobs\":[],\"obfuscation\":\"x1Y\"}\n\n",
    "event: response.output_item.done\n"
    R"(data: {"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":")",
    "\"}]}}\n\nevent: response.completed\n"
    R"(data: {"type":"response.completed","sequence_number":4,"response":{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"incomplete_details":null,"model":"gpt-6-sol-2026-09-01","output":[],"store":false,"usage":{"input_tokens":100,"output_tokens":200,"total_tokens":300}}})"
    "\n\n"},
  wording{
    vendor::ollama, "ollama", "",
    R"({"model":"qwen3","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":")",
    "\"},\"done\":false}\n", "",
    R"({"model":"qwen3","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1,"load_duration":1,"prompt_eval_count":26,"prompt_eval_duration":1,"eval_count":15,"eval_duration":1})"
    "\n"}};

const wording& of(vendor v) {
  return wordings.at(static_cast<std::size_t>(v));
}

} // namespace

std::string_view name_of(vendor v) {
  return of(v).name;
}

vendor vendor_of(std::string_view name) {
  for (const auto& w : wordings)
    if (w.name == name)
      return w.who;
  throw std::invalid_argument("no vendor " + std::string{name});
}

std::string_view stream_head(vendor v) {
  return of(v).head;
}

std::string stream_token(vendor v, std::string_view text) {
  std::string out{of(v).before_token};
  return out.append(text).append(of(v).after_token);
}

std::string stream_tail(vendor v, std::string_view text) {
  std::string out{of(v).before_text};
  if (!out.empty())
    out += text;
  return out.append(of(v).tail);
}

streamed_answer stream_of(vendor v, std::size_t bytes) {
  constexpr std::array<std::string_view, 4> words{"the ", "agent ", "runs ",
                                                  "again "};
  streamed_answer out{std::string{stream_head(v)}, {}};
  for (std::size_t i = 0; out.bytes.size() < bytes; ++i) {
    const auto word = words.at(i % words.size());
    out.bytes += stream_token(v, word);
    out.text += word;
  }
  out.bytes += stream_tail(v, out.text);
  return out;
}

std::string whole_answer(std::string_view text) {
  std::string out{
    R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5-5","content":[{"type":"text","text":")"};
  return out.append(text).append(
    R"("}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":200}})");
}

} // namespace bench
