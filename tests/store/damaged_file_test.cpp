#include "store_support.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

using namespace kestrion;
using namespace kestrion::test;
namespace fs = std::filesystem;

namespace damaged_file_test {

using logs = std::map<run_id, std::vector<stored_event>>;

bool same(const stored_event& a, const stored_event& b) {
  return a.seq == b.seq && a.at == b.at && a.type == b.type && a.data == b.data
         && a.hash == b.hash;
}

struct fixture {
  temp_folder folder;
  std::string file = folder / "runs.db";
  std::string copy = folder / "copy.db";
  logs written;

  /// Six runs of up to 12 events, some of them large.
  void fill(event_store& store) {
    for (std::uint64_t n = 1; n <= 6; ++n) {
      BOOST_REQUIRE(append(store, first_append(run_number(n))));
      for (std::uint64_t seq = 1; seq < 2 * n; ++seq)
        BOOST_REQUIRE(append(
          store,
          next_append(run_number(n), seq,
                      R"({"text":")" + std::string(seq == 5 ? 90'000 : 300, 'x')
                        + R"("})")));
      written[run_number(n)] = store.read(run_number(n), 0).value();
    }
  }

  void copy_cut(const std::string& from, const std::string& to,
                std::uintmax_t bytes) {
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    fs::resize_file(to, bytes);
  }

  void remove_copy() {
    for (const auto* suffix : {"", "-wal", "-shm", "-owners"})
      fs::remove(copy + suffix);
  }

  /// Whatever can be read of the copy was written so.
  /// @param cut_logs  Ends of logs may be missing.
  /// @returns How many runs are there.
  std::size_t check_copy(bool cut_logs) {
    auto store = open_store("sqlite:///" + copy);
    if (!store) {
      const auto code = store.error().code;
      BOOST_CHECK(code == errc::corrupt || code == errc::io
                  || code == errc::unsupported);
      return 0;
    }
    std::size_t found = 0;
    for (const auto& [id, events] : written) {
      const auto row = (*store)->find(id);
      const auto read = (*store)->read(id, 0);
      if (!row || !read || !*row)
        continue;
      ++found;
      BOOST_CHECK_EQUAL(read->size(), (*row)->last_seq);
      BOOST_REQUIRE_LE(read->size(), events.size());
      BOOST_CHECK(cut_logs || read->size() == events.size());
      BOOST_CHECK(std::equal(read->begin(), read->end(), events.begin(), same));
      if (const auto checked = (*store)->verify(id))
        BOOST_CHECK(!checked->flaw);
    }
    return found;
  }
};

/// What `f` returns in a process of its own.
template <class F>
int exit_code_of(F f) {
  const auto child = fork();
  if (child == 0)
    _exit(f());
  int status = 0;
  BOOST_REQUIRE_EQUAL(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// What `f` returns in a process of a user who owns nothing: root may write
/// everything.
template <class F>
int exit_code_of_nobody(F f) {
  constexpr uid_t nobody = 65'534;
  return exit_code_of(
    [&] { return geteuid() == 0 && setuid(nobody) != 0 ? 126 : f(); });
}

/// From now on a small disk of its own is at `folder`, for this process only.
/// Root may have that; others in a namespace where they are root.
bool mount_small_disk(const std::string& folder) {
  const auto user = getuid();
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      return false;
    std::ofstream{"/proc/self/uid_map"} << "0 " << user << " 1";
  }
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
         && mount("none", folder.c_str(), "tmpfs", 0, "size=2m") == 0;
}

bool enlarge_disk(const std::string& folder) {
  return mount("none", folder.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0;
}

boost::test_tools::assertion_result may_mount(boost::unit_test::test_unit_id) {
  const temp_folder folder;
  return exit_code_of([&] { return mount_small_disk(folder.path()) ? 0 : 1; })
         == 0;
}

/// Appends to a run until its disk is full, and once more when it is larger.
/// @returns 0, or the line where something was not as it should be.
int fill_disk(const std::string& folder, const std::string& file) {
  if (!mount_small_disk(folder))
    return __LINE__;
  const auto store = open_store("sqlite:///" + file).value();
  const auto run = run_number(1);
  if (!append(*store, first_append(run)))
    return __LINE__;
  const std::string large = R"({"text":")" + std::string(60'000, 'y') + R"("})";
  std::uint64_t length = 1;
  result<std::uint64_t> refused = 0;
  while (refused && length < 1'000) {
    refused = append(*store, next_append(run, length, large));
    length += refused ? 1 : 0;
  }
  if (refused || refused.error().code != errc::io)
    return __LINE__;
  const auto row = store->find(run);
  if (!row || (*row)->last_seq != length || store->verify(run).value().flaw)
    return __LINE__;
  if (!enlarge_disk(folder))
    return __LINE__;
  const auto more = append(*store, next_append(run, length, large));
  if (!more || *more != length + 1 || store->verify(run).value().flaw)
    return __LINE__;
  return 0;
}

} // namespace damaged_file_test

/// Files that were cut, and disks that are full: an error or a clean recovery,
/// never a state that nobody wrote.
BOOST_FIXTURE_TEST_SUITE(damaged_file_test, fixture)

BOOST_AUTO_TEST_CASE(a_file_that_was_cut_anywhere_gives_no_wrong_state) {
  fill(*open_store("sqlite:///" + file).value());
  const auto size = fs::file_size(file);
  for (std::uintmax_t cut = 0; cut < size; cut += 1 + size / 150) {
    BOOST_TEST_CONTEXT("cut at byte " << cut << " of " << size) {
      copy_cut(file, copy, cut);
      check_copy(false);
      remove_copy();
    }
  }
  copy_cut(file, copy, size);
  BOOST_CHECK_EQUAL(check_copy(false), written.size());
}

BOOST_AUTO_TEST_CASE(of_a_cut_wal_the_whole_commits_are_there) {
  const auto store = open_store("sqlite:///" + file).value();
  fill(*store); // It is open, so all of it is in the WAL.
  const auto size = fs::file_size(file + "-wal");
  BOOST_REQUIRE_GT(size, 100'000u);
  std::size_t most = 0;
  for (std::uintmax_t cut = 0; cut < size; cut += 1 + size / 100) {
    BOOST_TEST_CONTEXT("cut at byte " << cut << " of " << size) {
      fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
      copy_cut(file + "-wal", copy + "-wal", cut);
      const auto found = check_copy(true);
      BOOST_CHECK_GE(found, most); // The more is left, the more is there.
      most = std::max(most, found);
      remove_copy();
    }
  }
  BOOST_CHECK_GE(most, written.size() - 1);
}

/// The system refuses to let a file grow, as it does when a disk is full.
BOOST_AUTO_TEST_CASE(what_there_is_no_room_for_is_not_written_at_all) {
  const auto store = open_store("sqlite:///" + file).value();
  fill(*store);
  rlimit before{};
  BOOST_REQUIRE_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN); // The write fails instead.
  rlimit full = before;
  full.rlim_cur = fs::file_size(file + "-wal") + 200'000;
  BOOST_REQUIRE_EQUAL(setrlimit(RLIMIT_FSIZE, &full), 0);
  std::uint64_t length = written[run_number(6)].size();
  const std::string large = R"({"text":")" + std::string(60'000, 'y') + R"("})";
  result<std::uint64_t> refused = 0;
  for (int n = 0; n < 50 && refused; ++n) {
    refused = append(*store, next_append(run_number(6), length, large));
    length += refused ? 1 : 0;
  }
  const auto row = store->find(run_number(6));
  BOOST_REQUIRE_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_DFL);

  BOOST_REQUIRE(!refused);
  BOOST_CHECK(refused.error().code == errc::io);
  BOOST_REQUIRE(row);
  BOOST_CHECK_EQUAL((*row)->last_seq, length);
  BOOST_CHECK(!store->verify(run_number(6)).value().flaw);
  // There is room again.
  BOOST_CHECK_EQUAL(
    append(*store, next_append(run_number(6), length, large)).value(),
    length + 1);
  BOOST_CHECK(!store->verify(run_number(6)).value().flaw);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_and_goes_on_when_there_is_room,
                     *boost::unit_test::precondition(may_mount)) {
  const auto line =
    exit_code_of([&] { return std::min(fill_disk(folder.path(), file), 255); });
  BOOST_CHECK_EQUAL(line, 0);
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_be_written_is_refused_and_stays) {
  fill(*open_store("sqlite:///" + file).value());
  const auto size = fs::file_size(file);
  fs::permissions(file, fs::perms::owner_read | fs::perms::others_read);
  fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::others_read
                                   | fs::perms::others_exec);
  const auto code = exit_code_of_nobody([&] {
    const auto store = open_store("sqlite:///" + file);
    return store ? -1 : static_cast<int>(store.error().code);
  });
  fs::permissions(folder.path(), fs::perms::owner_all);
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  BOOST_CHECK_EQUAL(code, static_cast<int>(errc::io));
  BOOST_CHECK_EQUAL(fs::file_size(file), size);
  BOOST_CHECK_EQUAL(
    open_store("sqlite:///" + file).value()->list({}).value().size(),
    written.size());
}

BOOST_AUTO_TEST_SUITE_END()
