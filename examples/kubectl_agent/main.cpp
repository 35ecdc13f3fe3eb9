#include "console.hpp"
#include "ops_agent.hpp"

#include <unistd.h>

#include <iostream>
#include <map>

namespace {

namespace k = kestrion;

constexpr const char* usage = R"(usage: kubectl_agent COMMAND WORKDIR ...

  start   WORKDIR      has the agent check WORKDIR/checkout-api.yaml; runs until
                       it needs a person, and stays until it is killed
  status  WORKDIR      the runs of this folder, and what they wait for
  approve WORKDIR RUN [--by NAME] [--role ROLE]
                       agrees to what RUN waits for, and runs it to its end
  deny    WORKDIR RUN [--by NAME] [--role ROLE] [--reason TEXT]
                       disagrees; the agent hears why and goes on
  resume  WORKDIR RUN  runs it on where a killed process left it
  trace   WORKDIR RUN  what happened, when, what it cost and who decided
)";

struct command_line {
  std::string command;
  std::filesystem::path work;
  std::string run;
  std::map<std::string, std::string> options{
    {"--by", "ana"}, {"--role", "engineer"}, {"--reason", "not now"}};
};

/// @returns Nothing if it makes no sense.
std::optional<command_line> parse(const std::vector<std::string>& words) {
  if (words.size() < 2)
    return std::nullopt;
  command_line out{.command = words[0], .work = words[1], .run = {}};
  std::size_t next = 2;
  if (out.command != "start" && out.command != "status") {
    if (next == words.size())
      return std::nullopt;
    out.run = words[next++];
  }
  for (; next + 1 < words.size(); next += 2) {
    const auto option = out.options.find(words[next]);
    if (option == out.options.end())
      return std::nullopt;
    option->second = words[next + 1];
  }
  return next == words.size() ? std::optional{out} : std::nullopt;
}

std::string store_in(const std::filesystem::path& work) {
  return "sqlite:///" + (std::filesystem::absolute(work) / "runs.db").string();
}

int end_with(const k::run_result& result) {
  print_result(result);
  return result.status == k::run_status::completed ? 0 : 1;
}

int start(k::runtime& rt, const command_line& line) {
  const auto run =
    rt.start("ops", "Is checkout-api large enough? If not, mend it.");
  std::cout << "process " << ::getpid() << ", run " << run.id() << std::endl;
  const auto result = follow(rt, run);
  if (result.status != k::run_status::waiting_on_human)
    return end_with(result);
  print_result(result);
  for (const auto& call : result.approvals)
    std::cout << "would run: " << call.tool << ' ' << call.arguments << '\n';
  std::cout << "agree with: kubectl_agent approve " << line.work.string() << ' '
            << run.id() << " --by YOU --role engineer\n"
            << "waiting until killed" << std::endl;
  for (;;)
    ::pause();
}

/// Decides if asked to, and runs to the end.
int go_on(k::runtime& rt, const command_line& line) {
  const auto run = rt.find(line.run);
  const auto seen = rt.trace(run.id()).entries.size();
  std::cout << "process " << ::getpid() << ", run " << run.id() << std::endl;
  const auto& by = line.options.at("--by");
  const auto& role = line.options.at("--role");
  if (line.command == "approve")
    rt.approve(run.id(), {.by = by, .role = role});
  if (line.command == "deny")
    rt.deny(run.id(),
            {.by = by, .role = role, .reason = line.options.at("--reason")});
  return end_with(follow(rt, run, seen));
}

int run(const command_line& line) {
  const auto& c = line.command;
  if (c == "status" || c == "trace") { // To look, nothing has to run.
    k::runtime rt{{.store = store_in(line.work), .recover = false}, {}};
    if (c == "status")
      print_status(rt);
    else
      std::cout << to_text(rt.trace(rt.find(line.run).id()));
    return 0;
  }
  k::runtime rt{{.store = store_in(line.work)}, {ops_agent(line.work)}};
  return c == "start" ? start(rt, line) : go_on(rt, line);
}

} // namespace

int main(int argc, char** argv) try {
  const auto line = parse({argv + 1, argv + argc});
  const auto is = [&](const char* name) {
    return line && line->command == name;
  };
  if (is("start") || is("status") || is("approve") || is("deny") || is("resume")
      || is("trace"))
    return run(*line);
  std::cerr << usage;
  return 2;
} catch (const std::exception& e) {
  std::cerr << "kubectl_agent: " << e.what() << '\n';
  return 1;
}
