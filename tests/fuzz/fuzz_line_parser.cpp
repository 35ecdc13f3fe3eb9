#include <kestrion/providers/http/line_parser.hpp>
#include <kestrion/tests/fuzz/split.hpp>

#include <string>
#include <vector>

namespace kestrion::test {

namespace {

constexpr std::size_t line_bytes_max = 4'096;

struct reader {
  line_parser parser{line_bytes_max};
  std::vector<std::string> lines{};
  bool refused = false;

  void feed(std::string_view bytes) {
    const auto ok = parser.feed(bytes, [this](std::string_view line) {
      must(!line.empty() && line.size() <= line_bytes_max);
      must(line.find('\n') == std::string_view::npos);
      lines.emplace_back(line);
    });
    refused = refused || ok.has_error();
  }
};

} // namespace

} // namespace kestrion::test

/// Any split of the bytes gives the same lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace kestrion::test;
  const split_input input{data, size};
  reader whole;
  whole.feed(input.text);
  reader pieces;
  input.in_pieces([&](std::string_view piece) { pieces.feed(piece); });
  must(whole.refused == pieces.refused);
  must(whole.lines == pieces.lines);
  return 0;
}
