#pragma once

#include <kestrion/messages/described.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

/// One struct with a member of each supported kind.
namespace sample {

enum class color { red, green };
BOOST_DESCRIBE_ENUM(color, red, green)

struct point {
  int x = 0;
  std::optional<int> y;
  bool operator==(const point&) const = default;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

struct everything {
  std::string text;
  bool flag = false;
  std::int64_t big = 0;
  std::uint8_t small = 0;
  double ratio = 0;
  sample::color color = sample::color::red;
  std::optional<std::string> maybe;
  std::vector<point> points;
  std::map<std::string, int> counts;
  boost::json::value anything;
  bool operator==(const everything&) const = default;
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (text, flag, big, small, ratio, color, maybe, points,
                       counts, anything))

inline everything filled() {
  return {"a \"b\"",
          true,
          -5,
          255,
          1.5,
          color::green,
          "m",
          {{1, 2}, {3, {}}},
          {{"k", 1}, {"l", 2}},
          boost::json::array{1, "x", nullptr}};
}

inline constexpr const char* filled_text =
  R"({"text":"a \"b\"","flag":true,"big":-5,"small":255,"ratio":1.5,)"
  R"("color":"green","maybe":"m","points":[{"x":1,"y":2},{"x":3}],)"
  R"("counts":{"k":1,"l":2},"anything":[1,"x",null]})";

} // namespace sample
