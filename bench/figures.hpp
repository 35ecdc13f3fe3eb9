#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Measuring and printing, the same way in every benchmark.
namespace bench {

using seconds = std::chrono::duration<double>;

/// An empty folder beside the executable, so on the disk that holds the build;
/// a folder for temporary files may be memory. Removed with all it holds.
class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  std::filesystem::path file(std::string_view name) const;

  /// The URL of a store in the file of that name.
  std::string store(std::string_view name) const;

private:
  std::filesystem::path path_;
};

/// What this process has used so far, all threads together.
seconds cpu_time();

/// How long `f` takes.
template <class F>
seconds time_of(F&& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - begin;
}

/// Looks every millisecond whether it is so. @throws std::runtime_error  If it
/// is not after ten minutes; `what` says what nobody saw.
void wait_until(const std::function<bool()>& is_so, const std::string& what);

/// The sample that `percent` of all do not exceed; 50 is the median.
double percentile(std::vector<double> samples, double percent);
double median(std::vector<double> samples);

/// To `digits` decimals.
double rounded(double x, int digits);

/// Calls `measure`; what it throws goes to stderr.
/// @returns What `main` returns.
int run(const char* name, const std::function<void()>& measure);

/// One line of JSON to stdout.
void print(const boost::json::object& figures);

} // namespace bench
