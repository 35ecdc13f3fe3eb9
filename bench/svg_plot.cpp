#include "svg_plot.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bench {

namespace {

constexpr double width = 760;
constexpr double left = 70; ///< Of it are the numbers of the y axis.
constexpr double right = 20;
constexpr double plot_width = width - left - right;
constexpr double plot_height = 190;
constexpr double panel_height = plot_height + 80;
constexpr double title_height = 34;

/// A round number so that about five of them reach `most`.
double step_for(double most) {
  const auto rough = std::max(most, 1e-9) / 5;
  const auto ten = std::pow(10, std::floor(std::log10(rough)));
  for (const auto factor : {1, 2, 5})
    if (factor * ten >= rough)
      return factor * ten;
  return 10 * ten;
}

struct scale {
  double most = 1;
  double step = 1;
};

scale scale_to(double most) {
  const auto step = step_for(most);
  return {std::max(std::ceil(most / step), 1.0) * step, step};
}

void text(std::ostream& out, double x, double y, const char* anchor,
          const std::string& what) {
  out << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor
      << "\">";
  for (const auto c : what)
    out << (c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c));
  out << "</text>\n";
}

void rule(std::ostream& out, double x1, double y1, double x2, double y2,
          const char* colour) {
  out << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2
      << "\" y2=\"" << y2 << "\" stroke=\"" << colour << "\"/>\n";
}

std::string number(double x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

void axes(std::ostream& out, double top, const scale& x, const scale& y,
          const std::string& y_label) {
  const auto bottom = top + plot_height;
  for (double at = 0; at <= y.most * 1.0001; at += y.step) {
    const auto height = bottom - plot_height * at / y.most;
    rule(out, left, height, left + plot_width, height, "#dddddd");
    text(out, left - 8, height + 4, "end", number(at));
  }
  for (double at = 0; at <= x.most * 1.0001; at += x.step) {
    const auto across = left + plot_width * at / x.most;
    rule(out, across, bottom, across, bottom + 5, "#333333");
    text(out, across, bottom + 19, "middle", number(at));
  }
  rule(out, left, top, left, bottom, "#333333");
  rule(out, left, bottom, left + plot_width, bottom, "#333333");
  text(out, left + plot_width / 2, bottom + 36, "middle", "time in s");
  text(out, left, top - 10, "start", y_label);
}

/// A step a second: a value is that of the whole second.
void draw(std::ostream& out, const plot_line& line, double top, double x_most,
          double y_most) {
  out << "<path fill=\"none\" stroke-width=\"1.8\" stroke=\"" << line.colour
      << "\" d=\"";
  for (std::size_t i = 0; i < line.each.size(); ++i)
    out << (i == 0 ? "M" : "L")
        << left + plot_width * static_cast<double>(i) / x_most << ' '
        << top + plot_height * (1 - line.each[i] / y_most) << "h"
        << plot_width / x_most;
  out << "\"/>\n";
}

/// About as wide as the name is in 13 pixels.
double width_of(const plot_line& line) {
  return 7.2 * static_cast<double>(line.name.size()) + 8;
}

/// Beside the label of the axis, up to the right.
void legend(std::ostream& out, const std::vector<plot_line>& lines,
            double top) {
  constexpr double mark = 34; ///< A piece of the line, and what is around it.
  auto end = left + plot_width + mark;
  for (const auto& line : lines)
    end -= width_of(line) + mark;
  for (const auto& line : lines) {
    end += width_of(line);
    text(out, end, top - 10, "end", line.name);
    out << "<rect x=\"" << end - width_of(line) - 16 << "\" y=\"" << top - 16
        << "\" width=\"16\" height=\"4\" fill=\"" << line.colour << "\"/>\n";
    end += mark;
  }
}

} // namespace

void write_svg(const std::filesystem::path& file, const std::string& title,
               const std::vector<plot_panel>& panels) {
  std::ofstream out{file};
  const auto height =
    title_height + panel_height * static_cast<double>(panels.size());
  out << R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" << width
      << ' ' << height
      << R"(" font-family="sans-serif" font-size="13" fill="#222222">)" << '\n'
      << R"(<rect width="100%" height="100%" fill="#ffffff"/>)" << '\n';
  text(out, width / 2, 22, "middle", title);
  auto top = title_height + 30;
  for (const auto& panel : panels) {
    std::size_t longest = 1;
    double most = 0;
    for (const auto& line : panel.lines) {
      longest = std::max(longest, line.each.size());
      for (const auto y : line.each)
        most = std::max(most, y);
    }
    const scale x{static_cast<double>(longest),
                  step_for(static_cast<double>(longest))};
    const auto y = scale_to(most);
    axes(out, top, x, y, panel.y_label);
    for (const auto& line : panel.lines)
      draw(out, line, top, x.most, y.most);
    legend(out, panel.lines, top);
    top += panel_height;
  }
  out << "</svg>\n";
  if (!out.flush())
    throw std::runtime_error("can't write " + file.string());
}

} // namespace bench
