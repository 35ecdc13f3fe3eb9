#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kestrion {

/// Who speaks. The system prompt belongs to the agent, not to the conversation.
enum class role : std::uint8_t { user, assistant, tool };
BOOST_DESCRIBE_ENUM(role, user, assistant, tool)

/// Plain text, UTF-8.
struct text_part {
  static constexpr std::string_view tag = "text";
  std::string text;
  bool operator==(const text_part&) const = default;
};
BOOST_DESCRIBE_STRUCT(text_part, (), (text))

/// An image by reference: a URL that the vendor fetches, or the SHA-256 of a
/// blob in the store. Exactly one of the two is set.
struct image_part {
  static constexpr std::string_view tag = "image";
  std::string media_type; ///< "image/png"; needed with a blob only.
  std::string url;
  std::string blob;
  bool operator==(const image_part&) const = default;
};
BOOST_DESCRIBE_STRUCT(image_part, (), (media_type, url, blob))

/// A document by reference, as an image is: a PDF, or plain text.
struct document_part {
  static constexpr std::string_view tag = "document";
  std::string media_type; ///< "application/pdf", "text/plain"; as an image's.
  std::string name;       ///< "report.pdf", for the model; may be empty.
  std::string url;
  std::string blob;
  bool operator==(const document_part&) const = default;
};
BOOST_DESCRIBE_STRUCT(document_part, (), (media_type, name, url, blob))

/// What people say and tools answer.
using content_part = std::variant<text_part, image_part, document_part>;

/// What the model thought, to be given back to the same vendor unchanged.
struct reasoning_part {
  static constexpr std::string_view tag = "reasoning";
  std::string vendor; ///< Only this vendor gets it back.
  std::string text;   ///< For people; may be empty.
  std::string raw;    ///< The vendor's block, as JSON text.
  bool operator==(const reasoning_part&) const = default;
};
BOOST_DESCRIBE_STRUCT(reasoning_part, (), (vendor, text, raw))

/// A block of a kind that we do not know: kept, and given back unchanged.
struct opaque_part {
  static constexpr std::string_view tag = "opaque";
  std::string vendor;
  std::string raw; ///< The vendor's block, as JSON text.
  bool operator==(const opaque_part&) const = default;
};
BOOST_DESCRIBE_STRUCT(opaque_part, (), (vendor, raw))

/// The model asks for a tool.
struct tool_call_part {
  static constexpr std::string_view tag = "tool_call";
  std::string id;        ///< Ours, `c2.0`: second model call, first tool call.
  std::string vendor_id; ///< The vendor's, for the wire only; may be empty.
  std::string name;
  std::string arguments; ///< Exactly as the model wrote them; may not be JSON.
  bool operator==(const tool_call_part&) const = default;
};
BOOST_DESCRIBE_STRUCT(tool_call_part, (), (id, vendor_id, name, arguments))

/// What a tool answered.
struct tool_result_part {
  static constexpr std::string_view tag = "tool_result";
  std::string call;      ///< Our id of the call.
  std::string vendor_id; ///< The vendor's id of the call; may be empty.
  std::string name;      ///< The tool's.
  std::string content;   ///< Text, or a JSON document as text.
  bool is_error = false;
  /// What follows the content, in this order; never an empty list.
  std::optional<std::vector<content_part>> attachments{};
  bool operator==(const tool_result_part&) const = default;
};
BOOST_DESCRIBE_STRUCT(tool_result_part, (),
                      (call, vendor_id, name, content, is_error, attachments))

using part = std::variant<text_part, image_part, document_part, reasoning_part,
                          opaque_part, tool_call_part, tool_result_part>;

/// One turn of one speaker.
struct message {
  kestrion::role role = role::user;
  std::vector<part> parts;
  bool operator==(const message&) const = default;
};
BOOST_DESCRIBE_STRUCT(message, (), (role, parts))

/// Immutable and shared: the state and every request that is built from it
/// hold the same messages.
using message_ptr = std::shared_ptr<const message>;
using conversation = std::vector<message_ptr>;

/// A user's message of plain text.
message user_message(std::string text);

/// All text parts, joined.
std::string text_of(const message& m);

/// Tokens of one model call, the same way for all vendors.
///
/// Vendors differ in what "input" holds; here the three input counters never
/// overlap, and reasoning is part of the output.
struct token_usage {
  std::int64_t input_tokens = 0;      ///< Neither read from nor put in a cache.
  std::int64_t cache_read_tokens = 0; ///< Input that came from the cache.
  std::int64_t cache_write_tokens = 0; ///< Input that was put in the cache.
  std::int64_t output_tokens = 0;      ///< Includes `reasoning_tokens`.
  std::int64_t reasoning_tokens = 0;

  std::int64_t total() const {
    return input_tokens + cache_read_tokens + cache_write_tokens
           + output_tokens;
  }
  token_usage& operator+=(const token_usage& other);
  bool operator==(const token_usage&) const = default;
};
BOOST_DESCRIBE_STRUCT(token_usage, (),
                      (input_tokens, cache_read_tokens, cache_write_tokens,
                       output_tokens, reasoning_tokens))

} // namespace kestrion
