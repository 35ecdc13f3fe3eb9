#include "chaos_proof.hpp"

#include <kestrion/actors/run_queries.hpp>
#include <kestrion/messages/match.hpp>

#include <map>
#include <stdexcept>

namespace bench {

namespace {

/// What a log says about one call.
struct call_story {
  bool is_once = false;
  bool is_started = false;
  bool is_done = false; ///< It has a result, by itself or by the operator.
  bool has_failed = false;
};

class reader {
public:
  reader(chaos_evidence& out, std::unordered_map<std::string, int> times)
    : out_(out), times_(std::move(times)) {}

  void read(const kestrion::run_row& row,
            const std::vector<kestrion::recorded_event>& log) {
    std::map<std::string, call_story> calls;
    std::uint64_t seq = 0;
    bool is_dense = true;
    for (const auto& e : log) {
      is_dense &= e.seq == ++seq;
      read(e.event, calls);
    }
    ++out_.runs;
    out_.events += seq;
    out_.gaps += is_dense && seq == row.last_seq ? 0 : 1;
    out_.completed += row.status == kestrion::run_status::completed ? 1 : 0;
    for (const auto& [call, story] : calls)
      compare(row.id.str() + "/" + call, story);
  }

  /// What no log knows of.
  std::size_t left() const { return times_.size(); }

private:
  void read(const kestrion::event& event,
            std::map<std::string, call_story>& calls) {
    kestrion::match(
      event,
      [&](const kestrion::model_call_completed& x) {
        for (const auto& part : x.parts)
          if (const auto* call = std::get_if<kestrion::tool_call_part>(&part))
            calls[call->id].is_once = call->name == once_tool;
      },
      [&](const kestrion::tool_call_started& x) {
        calls[x.call].is_started = true;
      },
      [&](const kestrion::tool_call_completed& x) {
        calls[x.call].is_done = true;
      },
      [&](const kestrion::tool_call_failed& x) {
        calls[x.call].is_done = calls[x.call].has_failed = true;
      },
      [&](const kestrion::tool_call_in_doubt&) { ++out_.in_doubt; },
      [&](const kestrion::run_recovered&) { ++out_.recoveries; },
      [&](const kestrion::run_parked&) { ++out_.parkings; },
      [](const auto&) {});
  }

  void compare(const std::string& key, const call_story& story) {
    const auto found = times_.find(key);
    const int times = found == times_.end() ? 0 : found->second;
    if (found != times_.end())
      times_.erase(found);
    out_.once_calls += story.is_once && story.is_started ? 1 : 0;
    out_.unfounded += times > 0 && !story.is_started ? 1 : 0;
    out_.unresolved += story.is_started && !story.is_done ? 1 : 0;
    out_.lost += story.is_done && story.has_failed != (times == 0) ? 1 : 0;
    out_.doubled += story.is_once && times > 1 ? 1 : 0;
  }

  chaos_evidence& out_;
  std::unordered_map<std::string, int> times_;
};

void demand(bool holds, std::size_t n, const char* what) {
  if (!holds)
    throw std::runtime_error("NOT SO: " + std::to_string(n) + ' ' + what);
}

} // namespace

chaos_evidence gather(const kestrion::event_store& store, const ledger& world) {
  chaos_evidence out;
  reader all{out, world.times()};
  kestrion::run_query page;
  for (;;) {
    const auto rows = store.list(page).value();
    for (const auto& row : rows)
      all.read(row, kestrion::load_events(store, row.id).value());
    if (rows.size() < page.limit)
      break;
    page.after = rows.back().id;
  }
  out.unfounded += all.left();
  return out;
}

void demand_proof(const chaos_evidence& e, std::size_t started) {
  demand(e.runs == started, e.runs, "runs are in the store, not those started");
  demand(e.completed == e.runs, e.runs - e.completed, "runs did not complete");
  demand(e.gaps == 0, e.gaps, "logs have gaps");
  demand(e.lost == 0, e.lost, "calls differ from what became of them");
  demand(e.doubled == 0, e.doubled, "`once` calls happened more than once");
  demand(e.unfounded == 0, e.unfounded, "calls happened without a start");
  demand(e.unresolved == 0, e.unresolved, "calls have no result");
}

} // namespace bench
