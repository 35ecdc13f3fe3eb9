#include "figures.hpp"

#include <kestrion/messages/canonical_json.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <stdexcept>
#include <thread>

#include <stdlib.h>
#include <time.h>

namespace bench {

scratch_folder::scratch_folder() {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  auto name = (self.parent_path() / "bench-XXXXXX").string();
  if (!mkdtemp(name.data()))
    throw std::runtime_error("no folder can be made at " + name);
  path_ = name;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path scratch_folder::file(std::string_view name) const {
  return path_ / name;
}

std::string scratch_folder::store(std::string_view name) const {
  return "sqlite:///" + file(name).string();
}

seconds cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec}
         + std::chrono::nanoseconds{used.tv_nsec};
}

void wait_until(const std::function<bool()>& is_so, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{10};
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("not after ten minutes: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

double percentile(std::vector<double> samples, double percent) {
  if (samples.empty())
    throw std::invalid_argument("no samples");
  std::sort(samples.begin(), samples.end());
  const auto last = static_cast<double>(samples.size() - 1);
  return samples[static_cast<std::size_t>(std::ceil(last * percent / 100))];
}

double median(std::vector<double> samples) {
  return percentile(std::move(samples), 50);
}

double rounded(double x, int digits) {
  const double scale = std::pow(10, digits);
  return std::round(x * scale) / scale;
}

int run(const char* name, const std::function<void()>& measure) {
  try {
    measure();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << name << ": " << e.what() << '\n';
    return 1;
  }
}

void print(const boost::json::object& figures) {
  std::string line;
  for (const auto& [name, value] : figures) {
    line += line.empty() ? "{" : ", ";
    line += kestrion::canonical_json(name) + ": ";
    line += kestrion::canonical_json(value); // 0.5, where others have 5E-1.
  }
  std::cout << line << '}' << std::endl;
}

} // namespace bench
