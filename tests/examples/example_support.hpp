#pragma once

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/child_process.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace kestrion::test {

/// `program`, below the build's examples, in `folder`; without any key to a
/// real model, and with its errors among its output.
std::vector<std::string> example(const std::filesystem::path& folder,
                                 const std::string& program,
                                 std::vector<std::string> arguments = {});

struct outcome_of_process {
  int exit_code = 0;
  std::string text;
  std::vector<std::string> lines;

  bool says(std::string_view part) const {
    return text.find(part) != std::string::npos;
  }
};

/// From its start to its own end.
outcome_of_process run_to_its_end(const std::vector<std::string>& command);

/// What a store holds, without running any of it.
struct stored_run {
  run_row row;
  std::vector<recorded_event> events;

  template <class Event>
  std::vector<Event> all() const {
    std::vector<Event> out;
    for (const auto& e : events)
      if (const auto* x = std::get_if<Event>(&e.event))
        out.push_back(*x);
    return out;
  }
};
std::vector<stored_run> runs_in(const std::filesystem::path& store);

std::string contents_of(const std::filesystem::path& file);

} // namespace kestrion::test
