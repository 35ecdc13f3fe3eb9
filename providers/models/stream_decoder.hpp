#pragma once

#include <kestrion/messages/model_call.hpp>
#include <kestrion/providers/http/line_parser.hpp>
#include <kestrion/providers/http/sse_parser.hpp>
#include <kestrion/providers/models/draft.hpp>

#include <boost/json/value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace kestrion {

/// One vendor's stream: adds the documents up to the answer that the vendor
/// would have given in one piece, and reads that like any other. Pure.
/// @par Threading One owner.
class stream_decoder {
public:
  virtual ~stream_decoder() = default;

  /// Takes the next JSON document, or another text that the vendor sends in
  /// its place.
  /// @returns The outcome, once nothing that follows could change it.
  virtual std::optional<model_outcome> take(std::string_view document,
                                            draft& shown) = 0;

  /// The stream ended before there was an outcome.
  virtual model_outcome end() = 0;
};

/// How documents are told apart.
enum class framing : std::uint8_t { server_sent_events, lines };

/// The body of a streamed answer, from any split of its bytes. Pure.
/// @par Threading One owner.
class answer_stream {
public:
  /// @param decoder  Not null.
  answer_stream(framing frames, std::unique_ptr<stream_decoder> decoder,
                delta_sink on_delta);

  /// @returns False once the outcome is settled; what follows is not looked at.
  bool take(std::string_view bytes);

  /// After the last byte. An answer that was not finished is an `io` failure,
  /// retryable. Call once.
  model_outcome outcome();

private:
  void take_document(std::string_view document);

  const framing frames_;
  std::unique_ptr<stream_decoder> decoder_;
  draft draft_;
  sse_parser events_;
  line_parser lines_;
  std::optional<model_outcome> settled_;
};

} // namespace kestrion
