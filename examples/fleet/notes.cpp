#include "notes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

void notes::add(const std::string& tool, const std::string& key) const {
  const auto line = tool + ' ' + key + '\n';
  const int file =
    ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const auto written = ::write(file, line.data(), line.size());
  ::close(file);
  if (written != static_cast<ssize_t>(line.size()))
    throw std::runtime_error("could not write to " + file_.string());
}

std::map<std::string, int> notes::count() const {
  std::map<std::string, int> out;
  std::ifstream in(file_);
  for (std::string line; std::getline(in, line);)
    ++out[line];
  return out;
}
