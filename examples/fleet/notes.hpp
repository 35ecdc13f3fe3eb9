#pragma once

#include <filesystem>
#include <map>
#include <string>

/// The world that tools change: a file with one line for each time that one
/// of them ran. What is written stays, whoever is killed.
/// @par Threading Any thread.
class notes {
public:
  explicit notes(std::filesystem::path file) : file_(std::move(file)) {}

  /// One write to the end of the file: lines do not mix, and none is half.
  void add(const std::string& tool, const std::string& key) const;

  /// How often each call ran: by "TOOL KEY".
  std::map<std::string, int> count() const;

private:
  std::filesystem::path file_;
};
