/// A thousand families of agents, and a process that is killed under them ten
/// times. In the end everything has happened, and nothing twice.

#include "proof.hpp"
#include "supervisor.hpp"
#include "worker.hpp"

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <stdexcept>

namespace {

constexpr const char* usage = R"(usage: fleet [RUNS] [SEED]

Has RUNS agents (1000) work, each with two or three agents of its own, in a
process that is killed with kill -9 again and again, at random moments that
follow from SEED. Then proves that nothing is lost and nothing happened twice.
)";

constexpr int runs_max = 1'000'000;

/// @returns Nothing if that is no number from `least` to `most`.
template <class Number>
std::optional<Number> number_in(const std::string& text, Number least,
                                Number most) {
  Number out{};
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, out);
  if (failed != std::errc{} || stop != end || out < least || out > most)
    return std::nullopt;
  return out;
}

std::filesystem::path new_folder() {
  auto pattern =
    (std::filesystem::temp_directory_path() / "fleet-XXXXXX").string();
  if (!::mkdtemp(pattern.data()))
    throw std::runtime_error("there can be no folder " + pattern);
  return pattern;
}

int run_fleet(int runs, std::uint64_t seed) {
  const auto folder = new_folder();
  std::cout << "seed " << seed << ", store " << (folder / "runs.db").string()
            << std::endl;
  const auto seen = supervise(folder, runs, seed);
  std::cout << "the worker was killed " << seen.kills << " times in "
            << seen.seconds << " s\n";
  if (!prove(folder, runs))
    return 1; // The folder stays, to be looked at.
  std::filesystem::remove_all(folder);
  return 0;
}

/// What the fleet is made of: the worker alone, or a look at what it left.
int run_part(const std::string& part, const std::filesystem::path& folder,
             const std::string& text) {
  const auto runs = number_in<int>(text, 1, runs_max);
  if (runs && part == "--worker") {
    work(folder, *runs);
    return 0;
  }
  if (runs && part == "--prove")
    return prove(folder, *runs) ? 0 : 1;
  std::cerr << usage;
  return 2;
}

} // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words{argv + 1, argv + argc};
  if (words.size() == 3 && words[0].starts_with("--"))
    return run_part(words[0], words[1], words[2]);
  const auto runs =
    words.empty() ? 1'000 : number_in<int>(words[0], 1, runs_max);
  const auto seed = words.size() < 2
                      ? std::random_device{}()
                      : number_in<std::uint64_t>(words[1], 0, UINT64_MAX);
  if (!runs || !seed || words.size() > 2) {
    std::cerr << usage;
    return 2;
  }
  return run_fleet(*runs, *seed);
} catch (const std::exception& e) {
  std::cerr << "fleet: " << e.what() << '\n';
  return 1;
}
