#include <kestrion/providers/models/stream_decoder.hpp>

#include <utility>

namespace kestrion {

answer_stream::answer_stream(framing frames,
                             std::unique_ptr<stream_decoder> decoder,
                             delta_sink on_delta)
  : frames_(frames), decoder_(std::move(decoder)), draft_(std::move(on_delta)) {
}

void answer_stream::take_document(std::string_view document) {
  if (!settled_)
    settled_ = decoder_->take(document, draft_);
}

bool answer_stream::take(std::string_view bytes) {
  if (settled_)
    return false;
  const auto ok =
    frames_ == framing::server_sent_events
      ? events_.feed(bytes,
                     [this](const sse_event& e) { take_document(e.data); })
      : lines_.feed(bytes,
                    [this](std::string_view line) { take_document(line); });
  if (!ok && !settled_)
    settled_ = model_failure{ok.error(), false, std::nullopt, 200};
  return !settled_;
}

model_outcome answer_stream::outcome() {
  if (frames_ == framing::lines && !settled_)
    lines_.finish([this](std::string_view line) { take_document(line); });
  return settled_ ? *std::exchange(settled_, std::nullopt) : decoder_->end();
}

} // namespace kestrion
