#include <kestrion/providers/models/cassette_file.hpp>
#include <kestrion/tests/fuzz/split.hpp>

#include <string>

/// A file is a cassette or an error; what was read is written so that it reads
/// alike.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace kestrion;
  using test::must;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto all = cassette_file::read(text, "x.jsonl");
  if (!all) {
    must(!all.error().detail.empty());
    return 0;
  }
  auto again = cassette_file::header();
  for (const auto& x : *all)
    again += cassette_file::write(x);
  const auto read_again = cassette_file::read(again, "x.jsonl");
  must(read_again.has_value() && read_again->size() == all->size());
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto& x = (*all)[i];
    const auto& y = (*read_again)[i];
    must(x.method == y.method && x.url == y.url && x.body == y.body);
    must(x.chunks == y.chunks && x.is_streamed == y.is_streamed);
    must(x.response.has_value() == y.response.has_value());
    must(!x.response || x.response->body == y.response->body);
    must(!cassette_file::difference(x.body, y.body));
  }
  return 0;
}
