#include <kestrion/actors/run_queries.hpp>

#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/snapshot_codec.hpp>

#include <span>

namespace kestrion {

result<std::shared_ptr<const agent_code>>
find_agent(const agent_registry& agents, std::string_view name) {
  if (const auto i = agents.find(name); i != agents.end())
    return i->second;
  std::string known;
  for (const auto& [each, ignored] : agents)
    known += (known.empty() ? "" : ", ") + each;
  return error{errc::not_found, "agent \"" + std::string{name}
                                  + "\" is not known to this runtime; it knows "
                                  + (known.empty() ? "none" : known)};
}

result<run_row> find_row(const event_store& store, const run_id& id) {
  auto row = store.find(id);
  if (!row)
    return row.error();
  if (!*row)
    return error{errc::not_found,
                 "there is no run " + id.str() + " in this store"};
  return std::move(**row);
}

namespace {

/// @par Errors `corrupt`, naming the run and the seq
result<recorded_event> decoded(const run_id& id, const stored_event& row) {
  auto e = decode_event(row.type, row.data);
  if (!e)
    return error{e.error().code, "run " + id.str() + ", event "
                                   + std::to_string(row.seq) + ": "
                                   + e.error().detail};
  return recorded_event{row.seq, row.at, std::move(*e)};
}

/// Folds the rows after `out.state`.
result<void> fold_tail(loaded_run& out, const run_id& id,
                       std::span<const stored_event> rows) {
  for (const auto& row : rows) {
    auto e = decoded(id, row);
    if (!e)
      return e.error();
    out.state = fold(std::move(out.state), std::move(*e));
    out.meter.tail += row.data.size();
  }
  return {};
}

/// The run's snapshot; nothing if it has none that can be read.
std::optional<loaded_run> find_short_cut(const event_store& store,
                                         const run_id& id) {
  const auto kept = store.find_snapshot(id);
  if (!kept || !*kept || (*kept)->version != snapshot_version)
    return std::nullopt;
  auto state = decode_snapshot((*kept)->data);
  if (!state || state->progress.seq != (*kept)->seq || (*kept)->seq == 0)
    return std::nullopt;
  return loaded_run{std::move(*state), {(*kept)->data.size(), 0}};
}

} // namespace

result<std::vector<recorded_event>> load_events(const event_store& store,
                                                const run_id& id,
                                                std::uint64_t after_seq) {
  auto rows = store.read(id, after_seq);
  if (!rows)
    return rows.error();
  std::vector<recorded_event> out;
  out.reserve(rows->size());
  for (const auto& row : *rows) {
    auto e = decoded(id, row);
    if (!e)
      return e.error();
    out.push_back(std::move(*e));
  }
  return out;
}

result<loaded_run> load_for_life(const event_store& store, const run_id& id) {
  if (auto from = find_short_cut(store, id)) {
    // The last event that it holds has to be the log's: another log under the
    // same id, from a copy of the store, say, has other times.
    const auto& p = from->state.progress;
    const auto rows = store.read(id, p.seq - 1);
    if (!rows)
      return rows.error();
    if (!rows->empty() && rows->front().seq == p.seq
        && rows->front().at == p.updated_at) {
      if (auto ok = fold_tail(*from, id, std::span{*rows}.subspan(1)); !ok)
        return ok.error();
      return std::move(*from);
    }
  }
  const auto rows = store.read(id, 0);
  if (!rows)
    return rows.error();
  loaded_run out;
  if (auto ok = fold_tail(out, id, *rows); !ok)
    return ok.error();
  return out;
}

result<run_state> load_run(const event_store& store, const run_id& id) {
  auto loaded = load_for_life(store, id);
  if (!loaded)
    return loaded.error();
  return std::move(loaded->state);
}

run_result result_from_store(const event_store& store, const run_row& row) {
  auto loaded = load_run(store, row.id);
  if (loaded)
    return result_of(row.id, *loaded);
  run_result r;
  r.id = row.id;
  r.agent = row.agent;
  r.status = row.status;
  r.code = to_string(loaded.error().code);
  r.reason = loaded.error().detail;
  return r;
}

result<replay_report> replay_run(const event_store& store,
                                 const agent_registry& agents,
                                 const run_row& row) {
  const auto agent = find_agent(agents, row.agent);
  if (!agent)
    return agent.error();
  const auto events = load_events(store, row.id);
  if (!events)
    return events.error();
  return replay(row.id, *events, *(*agent)->definition);
}

result<std::vector<replay_report>>
find_divergences(const event_store& store, const agent_registry& agents,
                 run_query query) {
  std::vector<replay_report> out;
  for (;;) {
    const auto rows = store.list(query);
    if (!rows)
      return rows.error();
    for (const auto& row : *rows) {
      auto report = replay_run(store, agents, row);
      if (!report)
        out.push_back(
          {row.id, row.agent, row.last_seq, false,
           replay_divergence{1, "run_started", {}, report.error().detail}});
      else if (report->divergence)
        out.push_back(std::move(*report));
    }
    if (rows->size() < query.limit)
      return out;
    query.after = rows->back().id;
  }
}

namespace {

/// Where the row of a run says otherwise than its log, which can be read.
std::optional<log_flaw> find_row_flaw(const run_row& row, const run_state& s) {
  const auto flaw = [](std::uint64_t seq, const std::string& what) {
    return log_flaw{seq, "says otherwise than the row of the run: " + what};
  };
  const auto& started = *s.header;
  if (row.agent != started.agent)
    return flaw(1, "agent");
  if (row.parent != started.parent)
    return flaw(1, "parent");
  if (row.tenant != started.tenant)
    return flaw(1, "tenant");
  if (row.key != started.key)
    return flaw(1, "key");
  if (row.created_at != s.progress.started_at)
    return flaw(1, "created_at");
  if (row.status != s.progress.status)
    return flaw(s.progress.seq, "status");
  if (row.updated_at != s.progress.updated_at)
    return flaw(s.progress.seq, "updated_at");
  return std::nullopt;
}

} // namespace

result<log_check> verify_run(const event_store& store, const run_row& row) {
  auto out = store.verify(row.id);
  if (!out || out->flaw)
    return out;
  const auto events = load_events(store, row.id);
  if (!events)
    return events.error();
  // The run may have got on meanwhile.
  if (events->size() < row.last_seq)
    out->flaw = {row.last_seq, "is missing"};
  run_state state;
  for (const auto& e : *events)
    if (e.seq <= row.last_seq)
      state = fold(std::move(state), e);
  if (!out->flaw)
    out->flaw = find_row_flaw(row, state);
  return out;
}

result<std::vector<log_check>> find_flaws(const event_store& store,
                                          run_query query) {
  std::vector<log_check> out;
  for (;;) {
    const auto rows = store.list(query);
    if (!rows)
      return rows.error();
    for (const auto& row : *rows) {
      auto found = verify_run(store, row);
      if (!found && found.error().code == errc::io)
        return found.error();
      if (!found)
        out.push_back({row.id, 0, {}, log_flaw{1, found.error().detail}});
      else if (found->flaw)
        out.push_back(std::move(*found));
    }
    if (rows->size() < query.limit)
      return out;
    query.after = rows->back().id;
  }
}

result<void> repeat_on_ended(const event_store& store,
                             const agent_registry& agents, const run_row& row,
                             const command& c) {
  auto state = load_run(store, row.id);
  if (!state)
    return state.error();
  const auto agent = find_agent(agents, row.agent);
  const agent_definition unknown;
  auto decided = decide(*state, agent ? *(*agent)->definition : unknown, c);
  if (!decided)
    return error{decided.error().code,
                 "run " + row.id.str() + ": " + decided.error().detail};
  return {};
}

} // namespace kestrion
