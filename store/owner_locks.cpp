#include <kestrion/store/owner_locks.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace kestrion {

namespace {

struct flock byte(std::int64_t id) {
  struct flock out {};
  out.l_type = F_WRLCK;
  out.l_whence = SEEK_SET;
  out.l_start = id;
  out.l_len = 1;
  return out;
}

} // namespace

result<owner_locks> owner_locks::open(std::string path) {
  // CLOEXEC: a tool that outlives us must not keep us alive.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  owner_locks out{std::move(path), fd};
  if (fd < 0)
    return out.failed();
  return out;
}

owner_locks::owner_locks(owner_locks&& other) noexcept
  : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

owner_locks& owner_locks::operator=(owner_locks&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

owner_locks::~owner_locks() {
  if (fd_ >= 0)
    ::close(fd_);
}

result<bool> owner_locks::take(std::int64_t id) {
  auto lock = byte(id);
  if (::fcntl(fd_, F_OFD_SETLK, &lock) == 0)
    return true;
  if (errno == EAGAIN || errno == EACCES)
    return false;
  return failed();
}

void owner_locks::drop(std::int64_t id) {
  auto lock = byte(id);
  lock.l_type = F_UNLCK;
  ::fcntl(fd_, F_OFD_SETLK, &lock); // Fails for no descriptor of ours.
}

result<bool> owner_locks::is_taken(std::int64_t id) const {
  auto lock = byte(id);
  if (::fcntl(fd_, F_OFD_GETLK, &lock) != 0)
    return failed();
  return lock.l_type != F_UNLCK;
}

error owner_locks::failed() const {
  return {errc::io, "the lock file \"" + path_
                      + "\": " + std::generic_category().message(errno)};
}

} // namespace kestrion
