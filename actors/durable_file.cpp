#include <kestrion/actors/durable_file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace kestrion {

namespace {

constexpr std::size_t buffer_bytes = 1U << 20U;

/// A rename is durable once its folder is.
bool sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path{path}.parent_path();
  const int fd =
    ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  const bool ok = ::fsync(fd) == 0;
  ::close(fd);
  return ok;
}

} // namespace

durable_file::durable_file(std::string path)
  : path_(std::move(path)),
    beside_(path_ + "." + std::to_string(::getpid()) + ".part") {
  fd_ = ::open(beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0)
    note_failure();
}

durable_file::~durable_file() {
  if (fd_ < 0)
    return;
  ::close(fd_);
  ::unlink(beside_.c_str());
}

void durable_file::note_failure() {
  if (failure_ == 0)
    failure_ = errno;
}

void durable_file::write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= buffer_bytes && !flush())
    note_failure();
}

bool durable_file::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && failure_ == 0) {
    const auto n = ::write(fd_, rest.data(), rest.size());
    if (n < 0 && errno != EINTR)
      return false;
    rest.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  buffer_.clear();
  return true;
}

result<void> durable_file::commit() {
  if (failure_ == 0
      && (!flush() || ::fsync(fd_) != 0
          || std::rename(beside_.c_str(), path_.c_str()) != 0
          || !sync_folder_of(path_)))
    note_failure();
  if (failure_ != 0)
    return error{errc::io, "\"" + path_ + "\" can't be written: "
                             + std::generic_category().message(failure_)};
  ::close(std::exchange(fd_, -1));
  return {};
}

} // namespace kestrion
