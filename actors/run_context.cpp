#include <kestrion/actors/run_context.hpp>

#include <kestrion/actors/run_machine.hpp>

namespace kestrion {

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
  for (const auto& e : *events)
    state = fold(std::move(state), e);
  return state;
}

} // namespace kestrion
