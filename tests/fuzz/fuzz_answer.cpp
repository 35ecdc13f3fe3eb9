#include <kestrion/messages/utf8.hpp>
#include <kestrion/tests/fuzz/split.hpp>
#include <kestrion/tests/providers/wire_streams.hpp>

#include <map>
#include <string>
#include <utility>

namespace kestrion::test {

namespace {

const wire_vendor& fuzzed_vendor() {
  static const auto found = [] {
    for (auto& vendor : wire_vendors())
      if (vendor.name == KESTRION_FUZZED)
        return vendor;
    std::abort();
  }();
  return found;
}

/// Something that a run can store and people can read.
void check(const model_outcome& outcome) {
  if (const auto* failure = std::get_if<model_failure>(&outcome)) {
    must(failure->error.code != errc::ok && !failure->error.detail.empty());
    return;
  }
  const auto& reply = std::get<model_reply>(outcome);
  must(reply.usage.total() >= 0);
  for (const auto& p : reply.parts)
    if (const auto* call = std::get_if<tool_call_part>(&p))
      must(!call->name.empty());
}

void check(const std::vector<model_delta>& deltas) {
  std::map<std::pair<delta_kind, std::size_t>, std::size_t> bytes;
  for (const auto& d : deltas) {
    auto& so_far = bytes[{d.kind, d.index}];
    must(!d.text.empty() && is_valid_utf8(d.text));
    must(d.offset == so_far);
    so_far += d.text.size();
  }
}

} // namespace

} // namespace kestrion::test

/// Whatever a server sends, as a stream in any split or as an answer in one
/// piece, is a reply or a failure.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace kestrion::test;
  const split_input input{data, size};
  const auto& vendor = fuzzed_vendor();
  const auto whole = read_stream(vendor, {input.text});
  check(whole.outcome);
  check(whole.deltas);
  std::vector<std::string_view> pieces;
  input.in_pieces([&](std::string_view piece) { pieces.push_back(piece); });
  const auto split = read_stream(vendor, pieces);
  must(split.outcome == whole.outcome);
  must(split.deltas == whole.deltas);
  for (const int status : {200, 400, 429, 529})
    check(vendor.from_wire({status, {}, std::string{input.text}}));
  return 0;
}
