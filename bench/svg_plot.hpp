#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Pictures of figures over the time.
namespace bench {

struct plot_line {
  std::string name;         ///< In the legend.
  std::string colour;       ///< As SVG knows it: "#0072b2".
  std::vector<double> each; ///< One value a second, none negative.
};

/// One set of axes; several stand one below the other.
struct plot_panel {
  std::string y_label; ///< With its unit.
  std::vector<plot_line> lines;
};

/// Writes an SVG picture on a white ground: readable wherever it is shown. All
/// axes begin at 0; the time is in seconds.
/// @throws std::runtime_error if the file can't be written
void write_svg(const std::filesystem::path& file, const std::string& title,
               const std::vector<plot_panel>& panels);

} // namespace bench
