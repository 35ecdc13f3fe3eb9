#include "console.hpp"

#include <algorithm>
#include <iomanip>
#include <iostream>

namespace {

namespace k = kestrion;

constexpr std::size_t detail_columns_max = 96;

/// One line, cut to fit a terminal.
std::string brief(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > detail_columns_max)
    text.replace(detail_columns_max - 3, std::string::npos, "...");
  return text;
}

/// @returns The last seq that was printed.
std::uint64_t print_news(const k::run_trace& trace, std::uint64_t seen_seq) {
  for (const auto& e : trace.entries)
    if (e.seq > seen_seq) {
      std::cout << "  " << std::setw(2) << e.seq << "  " << std::left
                << std::setw(21) << e.what << std::right << ' '
                << brief(e.detail) << std::endl;
      seen_seq = e.seq;
    }
  return seen_seq;
}

} // namespace

k::run_result follow(const k::runtime& rt, const k::run& run,
                     std::uint64_t seen_seq) {
  for (;;) {
    auto result = run.wait_for(std::chrono::milliseconds{50});
    seen_seq = print_news(rt.trace(run.id()), seen_seq);
    if (result)
      return *result;
  }
}

void print_status(const k::runtime& rt) {
  for (const auto& row : rt.list())
    std::cout << row.id << "  " << row.agent << "  " << to_string(row.status)
              << "  " << row.last_seq << " events\n";
  for (const auto& call : rt.approvals()) {
    std::cout << "waiting: " << call.tool << ' ' << call.arguments << " of "
              << call.run << " needs";
    for (const auto& role : call.missing_roles)
      std::cout << ' ' << (role.empty() ? "anyone" : role);
    std::cout << '\n';
  }
}

void print_result(const k::run_result& result) {
  std::cout << "status: " << to_string(result.status) << '\n';
  if (!result.reason.empty())
    std::cout << "why: " << result.reason << '\n';
  if (!result.output.empty())
    std::cout << "answer: " << result.output << '\n';
  std::cout << std::flush;
}
