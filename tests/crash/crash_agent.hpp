#pragma once

#include <kestrion/kestrion.hpp>

#include <filesystem>
#include <string>
#include <vector>

/// What the worker runs and the test expects: an agent whose tools have effects
/// of every contract, on a file that outlives the process.
namespace kestrion::test {

/// An effect that happened.
struct effect_line {
  std::string tool;
  std::string key;  ///< run_id/call
  std::string what; ///< Which step asked for it: "3.0".
};

/// The world outside of the process: one line an effect, appended in a single
/// write, so it happened or not.
class effects_file {
public:
  explicit effects_file(std::filesystem::path path) : path_(std::move(path)) {}

  void note(const effect_line& line) const;
  std::vector<effect_line> lines() const;
  bool has(const std::string& key) const;

private:
  std::filesystem::path path_;
};

/// Seven steps over five tools, then an answer that quotes all their results.
/// Each model call and each tool takes up to a few milliseconds, so that kills
/// find them at work.
agent crash_agent(const effects_file& effects);

/// What a tool of it answers to the step `what`.
std::string crash_tool_result(const std::string& tool, const std::string& what);

} // namespace kestrion::test
