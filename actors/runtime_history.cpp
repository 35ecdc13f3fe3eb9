#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/runtime_impl.hpp>

#include <utility>

/// What can be asked of runs, and of what they were.
namespace kestrion {

namespace {

/// That its model call waits is in no log.
void show_wait(run_result& r, const runtime& rt) {
  if (r.status == run_status::running)
    if (const auto why = rt.waiting(r.id))
      show_throttled(r, *why);
}

} // namespace

error no_such_run(const run_id& id) {
  return {errc::not_found, "there is no run " + id.str() + " in this store"};
}

run runtime::find(const run_id& id) {
  if (!impl_->store->find(id).value())
    throw failure(no_such_run(id));
  return {*this, id};
}

run runtime::find(std::string_view id) {
  return find(run_id::parse(id).value());
}

std::vector<run_row> runtime::list(const run_query& query) const {
  return impl_->store->list(query).value();
}

std::vector<recorded_event> runtime::events(const run_id& id) const {
  auto events = load_events(*impl_->store, id).value();
  if (events.empty())
    throw failure(no_such_run(id));
  return events;
}

run_trace runtime::trace(const run_id& id) const {
  auto out = trace_of(id, events(id));
  show_wait(out.result, *this);
  return out;
}

run_result runtime::result(const run_id& id) const {
  const auto state = load_run(*impl_->store, id).value();
  if (state.progress.seq == 0)
    throw failure(no_such_run(id));
  auto out = result_of(id, state);
  show_wait(out, *this);
  return out;
}

replay_report runtime::replay(const run_id& id) const {
  const auto row = find_row(*impl_->store, id).value();
  return replay_run(*impl_->store, *impl_->agents, row).value();
}

std::vector<replay_report> runtime::divergences(run_query query) const {
  return find_divergences(*impl_->store, *impl_->agents, std::move(query))
    .value();
}

run runtime::fork(const run_id& id, std::uint64_t at,
                  const fork_options& options) {
  const auto now = impl_->engine.context->now();
  const auto fresh = run_id::make(
    now, static_cast<std::uint16_t>(impl_->engine.context->random()),
    impl_->engine.context->random());
  auto signed_options = options;
  if (impl_->redaction)
    signed_options.by = impl_->redaction->without_secrets(options.by);
  auto request =
    fork_of(fresh, id, events(id), at, signed_options, now).value();
  impl_->append(std::move(request));
  return {*this, fresh};
}

log_check runtime::verify(const run_id& id) const {
  const auto row = find_row(*impl_->store, id).value();
  return verify_run(*impl_->store, row).value();
}

std::vector<log_check> runtime::flaws(run_query query) const {
  return find_flaws(*impl_->store, std::move(query)).value();
}

void runtime::export_run(const run_id& id, const std::string& path,
                         const capsule_options& options) const {
  kestrion::export_run(*impl_->store, id, path, options).value();
}

std::vector<run_id> runtime::import_runs(const std::string& path) {
  const auto from = read_capsule(path).value();
  return kestrion::import_runs(*impl_->store, from,
                               impl_->engine.context->now())
    .value();
}

retention_report runtime::retain(const retention_rule& rule) {
  return kestrion::retain(*impl_->store, rule, impl_->engine.context->now())
    .value();
}

std::string runtime::put_blob(std::string_view bytes) {
  return impl_->store->put_blob(bytes).value();
}

std::string runtime::get_blob(std::string_view hash) const {
  return impl_->store->get_blob(hash).value();
}

std::vector<pending_approval> runtime::approvals() const {
  std::vector<pending_approval> out;
  run_query query;
  query.statuses = {run_status::waiting_on_human};
  for (;;) {
    const auto rows = list(query);
    for (const auto& row : rows)
      for (auto& each : result(row.id).approvals)
        out.push_back(std::move(each));
    if (rows.size() < query.limit)
      return out;
    query.after = rows.back().id;
  }
}

} // namespace kestrion
