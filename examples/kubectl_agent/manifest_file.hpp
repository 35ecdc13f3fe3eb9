#pragma once

#include <filesystem>
#include <mutex>
#include <string>

/// A Kubernetes Deployment in a file, edited as text: comments, order and all
/// else stay as they are. What can't be done is a std::runtime_error.
/// @par Threading Any thread; one process at a time.
class manifest_file {
public:
  /// @param journal  Gets a line for each edit that was really made.
  manifest_file(std::filesystem::path file, std::filesystem::path journal);

  std::string text() const;

  int replicas() const;

  /// Why it was changed last: its annotation kubernetes.io/change-cause.
  std::string change_cause() const;

  /// Sets both in one step: whoever reads the file, whenever the power fails,
  /// sees the old text or the new one.
  /// @returns A sentence on what changed.
  std::string scale(int replicas, const std::string& cause);

private:
  const std::filesystem::path file_;
  const std::filesystem::path journal_;
  std::mutex editing_;
};
