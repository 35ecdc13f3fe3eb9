#include <kestrion/messages/conversation.hpp>

namespace kestrion {

message user_message(std::string text) {
  return {role::user, {text_part{std::move(text)}}};
}

std::string text_of(const message& m) {
  std::string out;
  for (const auto& p : m.parts)
    if (const auto* text = std::get_if<text_part>(&p))
      out += text->text;
  return out;
}

token_usage& token_usage::operator+=(const token_usage& other) {
  input_tokens += other.input_tokens;
  cache_read_tokens += other.cache_read_tokens;
  cache_write_tokens += other.cache_write_tokens;
  output_tokens += other.output_tokens;
  reasoning_tokens += other.reasoning_tokens;
  return *this;
}

} // namespace kestrion
