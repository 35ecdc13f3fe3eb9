#include <kestrion/tests/examples/example_support.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace kestrion::test {

namespace fs = std::filesystem;

std::vector<std::string> example(const fs::path& folder,
                                 const std::string& program,
                                 std::vector<std::string> arguments) {
  std::vector<std::string> out{
    "/usr/bin/env",
    "-C",
    folder.string(),
    "-u",
    "ANTHROPIC_API_KEY",
    "-u",
    "OPENAI_API_KEY",
    "-u",
    "OLLAMA_MODEL",
    "/bin/sh",
    "-c",
    "exec \"$@\" 2>&1",
    "sh",
    (program.starts_with('/') ? "" : KESTRION_BUILD "/examples/") + program};
  out.insert(out.end(), arguments.begin(), arguments.end());
  return out;
}

outcome_of_process run_to_its_end(const std::vector<std::string>& command) {
  child_process p(command);
  if (!p.has_ended(child_process::clock::now() + std::chrono::seconds{120}))
    throw std::runtime_error(command.back() + " does not end; it said:\n"
                             + p.text());
  const auto code = p.exit_code();
  return {code, p.text(), p.lines()};
}

std::vector<stored_run> runs_in(const fs::path& store) {
  const runtime rt{{.store = "sqlite:///" + store.string(), .recover = false},
                   {}};
  std::vector<stored_run> out;
  for (auto& row : rt.list())
    out.push_back({row, rt.events(row.id)});
  return out;
}

std::string contents_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace kestrion::test
