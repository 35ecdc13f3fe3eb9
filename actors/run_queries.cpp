#include <kestrion/actors/run_queries.hpp>

#include <kestrion/actors/run_machine.hpp>

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

result<std::vector<recorded_event>> load_events(const event_store& store,
                                                const run_id& id,
                                                std::uint64_t after_seq) {
  auto rows = store.read(id, after_seq);
  if (!rows)
    return rows.error();
  std::vector<recorded_event> out;
  out.reserve(rows->size());
  for (const auto& row : *rows) {
    auto e = decode_event(row.type, row.data);
    if (!e)
      return error{e.error().code, "run " + id.str() + ", event "
                                     + std::to_string(row.seq) + ": "
                                     + e.error().detail};
    out.push_back({row.seq, row.at, std::move(*e)});
  }
  return out;
}

result<run_state> load_run(const event_store& store, const run_id& id) {
  auto events = load_events(store, id);
  if (!events)
    return events.error();
  run_state state;
  for (auto& e : *events)
    state = fold(std::move(state), std::move(e));
  return state;
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
