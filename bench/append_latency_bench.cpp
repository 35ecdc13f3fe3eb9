/// How long a command takes until it is durable, when nobody else keeps the
/// disk busy: one lone run that waits for an approval is told no, goes on,
/// waits again, and so on. Measured is the call of `runtime::deny`: from plain
/// C++ to the directory, the run, the journal, the disk, and back.
///
/// The ceiling is one write and fdatasync of as many bytes as the denial's
/// event holds, at the end of a file in the same folder. SQLite writes whole
/// pages, so part of the difference is the price of a database.

#include "agents.hpp"
#include "figures.hpp"

#include <kestrion/store/event_store.hpp>

#include <caf/actor_system_config.hpp>

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

namespace {

constexpr std::size_t payload_bytes = 300;
constexpr int warm_up = 50;
constexpr int samples = 1'000;

/// A file that grows by one write at a time.
class bare_file {
public:
  explicit bare_file(const std::filesystem::path& path)
    : fd_(open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600)) {
    if (fd_ < 0)
      throw std::runtime_error("can't open " + path.string());
  }
  ~bare_file() { close(fd_); }
  bare_file(const bare_file&) = delete;
  bare_file& operator=(const bare_file&) = delete;

  void append(const std::string& record) {
    if (write(fd_, record.data(), record.size())
          != static_cast<ssize_t>(record.size())
        || fdatasync(fd_) != 0)
      throw std::runtime_error("can't write to the bare file");
  }

private:
  int fd_;
};

/// The bytes of one denial in the log.
std::size_t denial_bytes(const kestrion::runtime& rt,
                         const kestrion::run_id& id) {
  for (const auto& e : rt.events(id))
    if (std::holds_alternative<kestrion::approval_denied>(e.event))
      return kestrion::encode(e.event, e.at).data.size();
  throw std::runtime_error("there was no denial");
}

void measure() {
  const bench::scratch_folder folder;
  kestrion::runtime rt{{.store = folder.store("log"), .passivate = false},
                       {bench::gated_agent(payload_bytes)}};
  const auto run = rt.start("gated", "Begin.");
  const std::string reason(payload_bytes, 'y');
  bare_file bare{folder.file("bare")};
  std::vector<double> product;
  std::vector<double> ceiling;
  std::string record;
  for (int i = 0; i < warm_up + samples; ++i) {
    run.wait();
    const auto denied = bench::time_of(
      [&] { rt.deny(run.id(), {.by = "ana", .reason = reason}); });
    run.wait(); // Now the disk is idle again.
    if (record.empty())
      record.assign(denial_bytes(rt, run.id()), 'z');
    const auto written = bench::time_of([&] { bare.append(record); });
    if (i < warm_up)
      continue;
    product.push_back(denied.count() * 1e6);
    ceiling.push_back(written.count() * 1e6);
  }
  const auto p50 = bench::median(product);
  const auto bare_p50 = bench::median(ceiling);
  bench::print(
    {{"bench", "append_latency"},
     {"samples", samples},
     {"bytes", record.size()},
     {"p50_us", bench::rounded(p50, 0)},
     {"p99_us", bench::rounded(bench::percentile(product, 99), 0)},
     {"ceiling_p50_us", bench::rounded(bare_p50, 0)},
     {"ceiling_p99_us", bench::rounded(bench::percentile(ceiling, 99), 0)},
     {"ratio", bench::rounded(p50 / bare_p50, 2)}});
}

} // namespace

int main() {
  return bench::run("append_latency", measure);
}
