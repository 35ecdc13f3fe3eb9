#include "proof.hpp"

#include "agents.hpp"
#include "worker.hpp"

#include <iostream>
#include <map>
#include <set>

namespace k = kestrion;

namespace {

/// What the store holds, read once.
struct evidence {
  std::map<k::run_id, k::run_row> rows;
  std::map<k::run_id, std::set<k::run_id>> children;
  std::map<std::string, k::run_id> leads; ///< By key.
  int doubts = 0;
  int gaps = 0; ///< Logs that are not 1, 2, 3 …
  int recovered = 0;
  std::uint64_t events = 0;

  explicit evidence(const k::runtime& store) {
    for (const auto& row : all_runs(store)) {
      rows.emplace(row.id, row);
      if (row.parent)
        children[*row.parent].insert(row.id);
      if (row.key)
        leads.emplace(*row.key, row.id);
      read(store.events(row.id), row);
    }
  }

private:
  void read(const std::vector<k::recorded_event>& log, const k::run_row& row) {
    std::uint64_t seq = 0;
    bool is_dense = true;
    for (const auto& e : log) {
      is_dense &= e.seq == ++seq;
      doubts += std::holds_alternative<k::tool_call_in_doubt>(e.event) ? 1 : 0;
      recovered += std::holds_alternative<k::run_recovered>(e.event) ? 1 : 0;
    }
    gaps += is_dense && seq == row.last_seq ? 0 : 1;
    events += seq;
  }
};

/// A line of the proof.
class verdict {
public:
  void check(bool holds, const std::string& what) {
    std::cout << (holds ? "ok: " : "NOT SO: ") << what << '\n';
    all_hold_ &= holds;
  }
  bool all_hold() const { return all_hold_; }

private:
  bool all_hold_ = true;
};

std::string count(std::size_t n, const char* what) {
  return std::to_string(n) + ' ' + what;
}

std::string note_of(const char* tool, const k::run_id& run,
                    const std::string& call) {
  return std::string{tool} + ' ' + run.str() + '/' + call;
}

/// What the tools have to have noted, and nothing else.
struct expected_notes {
  std::set<std::string> once;
  std::set<std::string> idempotent;
};

expected_notes expect(const evidence& e, int cases) {
  expected_notes out;
  for (int i = 0; i < cases; ++i) {
    const auto lead = e.leads.find(key_of(i));
    if (lead == e.leads.end())
      continue;
    out.once.insert(note_of("publish", lead->second, publish_call_of(i)));
    for (const auto& call : scout_calls_of(i)) {
      const auto scout = k::child_id(lead->second, call);
      out.once.insert(note_of("report", scout, report_call));
      out.idempotent.insert(note_of("measure", scout, measure_call));
    }
  }
  return out;
}

void check_runs(verdict& v, const evidence& e, const k::runtime& store,
                int cases) {
  std::size_t completed = 0;
  std::size_t answers = 0;
  std::size_t families = 0;
  std::size_t scouts = 0;
  for (const auto& [id, row] : e.rows)
    completed += row.status == k::run_status::completed ? 1 : 0;
  for (int i = 0; i < cases; ++i) {
    std::set<k::run_id> expected;
    const auto lead = e.leads.find(key_of(i));
    if (lead == e.leads.end())
      continue;
    for (const auto& call : scout_calls_of(i))
      expected.insert(k::child_id(lead->second, call));
    scouts += expected.size();
    const auto there = e.children.find(lead->second);
    families += there != e.children.end() && there->second == expected ? 1 : 0;
    answers += store.result(lead->second).output == answer_of(i) ? 1 : 0;
  }
  const auto n = static_cast<std::size_t>(cases);
  v.check(completed == e.rows.size() && e.rows.size() == n + scouts,
          count(completed, "runs are completed, of ")
            + std::to_string(n + scouts));
  v.check(families == n && e.leads.size() == n,
          count(families, "leads have exactly their scouts, of ")
            + std::to_string(n));
  v.check(answers == n, count(answers, "leads gave the right answer"));
}

void check_notes(verdict& v, const evidence& e, const notes& world, int cases) {
  const auto expected = expect(e, cases);
  std::size_t exactly_once = 0;
  std::size_t at_least_once = 0;
  std::size_t again = 0;
  std::size_t strange = 0;
  for (const auto& [note, times] : world.count()) {
    if (expected.once.contains(note)) {
      exactly_once += times == 1 ? 1 : 0;
    } else if (expected.idempotent.contains(note)) {
      ++at_least_once;
      again += static_cast<std::size_t>(times - 1);
    } else {
      ++strange;
    }
  }
  v.check(exactly_once == expected.once.size(),
          count(exactly_once, "`once` calls happened exactly once, of ")
            + std::to_string(expected.once.size()));
  v.check(at_least_once == expected.idempotent.size(),
          count(at_least_once, "idempotent calls happened, of ")
            + std::to_string(expected.idempotent.size()) + "; "
            + std::to_string(again) + " of them again, under the same key");
  v.check(strange == 0, count(strange, "calls happened that nobody made"));
}

} // namespace

std::vector<k::run_row> all_runs(const k::runtime& store) {
  std::vector<k::run_row> out;
  k::run_query page;
  for (;;) {
    auto rows = store.list(page);
    out.insert(out.end(), rows.begin(), rows.end());
    if (rows.size() < page.limit)
      return out;
    page.after = rows.back().id;
  }
}

bool prove(const std::filesystem::path& folder, int cases) {
  const k::runtime store{{.store = store_in(folder), .recover = false}, {}};
  const evidence e{store};
  verdict v;
  check_runs(v, e, store, cases);
  check_notes(v, e, notes{notes_in(folder)}, cases);
  v.check(e.gaps == 0,
          count(e.rows.size(), "logs are dense, ") + count(e.events, "events"));
  std::cout << e.recovered << " times a run was taken over with work under "
            << "way; " << e.doubts << " `once` calls were in doubt, and "
            << "looked up\n";
  return v.all_hold();
}
