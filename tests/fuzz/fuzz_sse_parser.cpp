#include <kestrion/providers/http/sse_parser.hpp>
#include <kestrion/tests/fuzz/split.hpp>

#include <string>
#include <vector>

namespace kestrion::test {

namespace {

constexpr std::size_t event_bytes_max = 4'096;

/// Events as text, and whether the parser refused something.
struct reader {
  sse_parser parser{event_bytes_max};
  std::vector<std::string> events{};
  bool refused = false;

  void feed(std::string_view bytes) {
    const auto ok = parser.feed(bytes, [this](const sse_event& e) {
      must(e.data.size() <= event_bytes_max);
      must(!e.type.empty());
      events.push_back(std::string{e.type} + '\n' + std::string{e.id} + '\n'
                       + std::string{e.data});
    });
    refused = refused || ok.has_error();
  }
};

} // namespace

} // namespace kestrion::test

/// Any split of the bytes gives the same events.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace kestrion::test;
  const split_input input{data, size};
  reader whole;
  whole.feed(input.text);
  reader pieces;
  input.in_pieces([&](std::string_view piece) { pieces.feed(piece); });
  must(whole.refused == pieces.refused);
  must(whole.events == pieces.events);
  return 0;
}
