#include <kestrion/actors/snapshot_codec.hpp>

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/digest.hpp>

namespace kestrion {

namespace {

constexpr std::size_t digest_size = 64; ///< In front of the JSON.

/// A state as it is read; written are the shared messages, without a copy.
struct state_text {
  run_started header;
  run_progress progress;
  std::vector<message> conversation;
  std::vector<message> heard;
  std::vector<std::optional<tool_result_part>> results;
};
BOOST_DESCRIBE_STRUCT(state_text, (),
                      (header, progress, conversation, heard, results))

void append_messages(std::string& out, const conversation& all) {
  const char* separator = "";
  for (const auto& m : all) {
    out += separator;
    append_json(out, *m);
    separator = ",";
  }
}

conversation shared(std::vector<message> all) {
  conversation out;
  out.reserve(all.size());
  for (auto& m : all)
    out.push_back(std::make_shared<const message>(std::move(m)));
  return out;
}

} // namespace

std::string encode_snapshot(const run_state& state) {
  std::string out(digest_size, '0');
  out += R"({"header":)";
  append_json(out, *state.header);
  out += R"(,"progress":)";
  append_json(out, state.progress);
  out += R"(,"conversation":[)";
  append_messages(out, state.conversation);
  out += R"(],"heard":[)";
  append_messages(out, state.heard);
  out += R"(],"results":)";
  append_json(out, state.results);
  out += '}';
  out.replace(0, digest_size,
              sha256_hex(std::string_view{out}.substr(digest_size)));
  return out;
}

result<run_state> decode_snapshot(std::string_view bytes) {
  const auto json = bytes.substr(std::min(digest_size, bytes.size()));
  if (bytes.substr(0, digest_size) != sha256_hex(json))
    return error{errc::corrupt, "the snapshot is not as it was written"};
  const auto parsed = parse_json(json, "the snapshot");
  if (!parsed)
    return error{errc::corrupt, parsed.error().detail};
  auto text = decode_json<state_text>(*parsed, "snapshot");
  if (!text)
    return error{errc::corrupt, text.error().detail};
  run_state out{std::move(text->header), std::move(text->progress),
                shared(std::move(text->conversation)),
                shared(std::move(text->heard)), std::move(text->results)};
  out.vendor_ids.add(out.conversation);
  return out;
}

} // namespace kestrion
