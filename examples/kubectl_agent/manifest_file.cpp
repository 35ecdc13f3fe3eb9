#include "manifest_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace {

constexpr const char* replicas_key = "replicas:";
constexpr const char* cause_key = "kubernetes.io/change-cause:";

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// An open file; closed at the end of its scope.
class descriptor {
public:
  descriptor(const std::filesystem::path& path, int flags)
    : number_(::open(path.c_str(), flags | O_CLOEXEC, 0644)), path_(path) {
    if (number_ < 0)
      fail("open " + path.string());
  }
  ~descriptor() { ::close(number_); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  void write(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const auto n = ::write(number_, text.data() + done, text.size() - done);
      if (n < 0 && errno != EINTR)
        fail("write " + path_.string());
      done += n < 0 ? 0 : static_cast<std::size_t>(n);
    }
  }

  void sync() {
    if (::fsync(number_) != 0)
      fail("fsync " + path_.string());
  }

private:
  int number_;
  const std::filesystem::path path_;
};

/// The old file or the new one is there at any time, also after a power cut.
void replace(const std::filesystem::path& path, const std::string& text) {
  const auto fresh = path.string() + ".new";
  {
    descriptor out(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    out.write(text);
    out.sync();
  }
  std::filesystem::rename(fresh, path);
  descriptor(std::filesystem::absolute(path).parent_path(),
             O_RDONLY | O_DIRECTORY)
    .sync();
}

/// Where the value of `key` stands in a YAML text, quotes included.
struct place {
  std::size_t begin = 0;
  std::size_t length = 0;
};

place find_value(const std::string& yaml, const std::string& key) {
  place found;
  for (std::size_t line = 0; line < yaml.size();) {
    const auto end = std::min(yaml.find('\n', line), yaml.size());
    const auto first = yaml.find_first_not_of(' ', line);
    if (first < end && yaml.compare(first, key.size(), key) == 0) {
      if (found.begin != 0)
        throw std::runtime_error("the manifest has \"" + key + "\" twice");
      const auto value = yaml.find_first_not_of(' ', first + key.size());
      found.begin = std::min(value, end);
      found.length = end - found.begin;
    }
    line = end + 1;
  }
  if (found.begin == 0)
    throw std::runtime_error("the manifest has no \"" + key + "\"");
  return found;
}

std::string value_of(const std::string& yaml, const std::string& key) {
  const auto p = find_value(yaml, key);
  auto value = yaml.substr(p.begin, p.length);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  return value;
}

} // namespace

manifest_file::manifest_file(std::filesystem::path file,
                             std::filesystem::path journal)
  : file_(std::move(file)), journal_(std::move(journal)) {
  if (!std::filesystem::exists(file_))
    throw std::runtime_error("there is no manifest " + file_.string());
}

std::string manifest_file::text() const {
  std::ifstream in(file_, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  if (!in || !out)
    throw std::runtime_error("can't read " + file_.string());
  return out.str();
}

int manifest_file::replicas() const {
  return std::stoi(value_of(text(), replicas_key));
}

std::string manifest_file::change_cause() const {
  return value_of(text(), cause_key);
}

std::string manifest_file::scale(int replicas, const std::string& cause) {
  const std::lock_guard lock(editing_);
  auto yaml = text();
  const auto before = value_of(yaml, replicas_key);
  const auto after = std::to_string(replicas);
  auto at = find_value(yaml, replicas_key);
  yaml.replace(at.begin, at.length, after);
  at = find_value(yaml, cause_key);
  yaml.replace(at.begin, at.length, '"' + cause + '"');
  replace(file_, yaml);
  auto what = "replicas " + before + " -> " + after;
  descriptor journal(journal_, O_WRONLY | O_CREAT | O_APPEND);
  journal.write(cause + " " + what + "\n");
  journal.sync();
  return what;
}
