#include <kestrion/actors/retention.hpp>

#include <kestrion/actors/capsule.hpp>

#include <algorithm>
#include <filesystem>

namespace kestrion {

namespace {

/// Erased in one transaction: others may write in between.
constexpr std::size_t erased_at_once = 500;

result<void> check(const retention_rule& rule) {
  if (rule.older_than < duration::zero())
    return error{errc::invalid_argument,
                 "older_than is " + std::to_string(rule.older_than.count())
                   + " microseconds; expected 0 or more"};
  for (const auto status : rule.statuses)
    if (!is_terminal(status))
      return error{
        errc::invalid_argument,
        "the status \"" + std::string{to_string(status)}
          + "\" is no end of a run; only runs that have ended can go"};
  std::error_code ignored;
  if (!rule.archive.empty()
      && !std::filesystem::is_directory(rule.archive, ignored))
    return error{errc::invalid_argument,
                 "the archive \"" + rule.archive + "\" is no folder"};
  return {};
}

run_query query_of(const retention_rule& rule) {
  run_query out;
  out.statuses = rule.statuses;
  if (out.statuses.empty())
    out.statuses = {run_status::completed, run_status::failed,
                    run_status::expired, run_status::cancelled};
  out.agent = rule.agent;
  out.limit = erased_at_once;
  return out;
}

/// About what goes with a run.
result<std::uint64_t> bytes_of(const event_store& store, const run_id& id) {
  const auto events = store.read(id, 0);
  if (!events)
    return events.error();
  std::uint64_t out = 0;
  for (const auto& e : *events)
    out += e.data.size();
  return out;
}

result<void> archive(const event_store& store, const retention_rule& rule,
                     const std::vector<run_id>& runs) {
  if (rule.archive.empty())
    return {};
  for (const auto& id : runs) {
    const auto path =
      std::filesystem::path{rule.archive} / (id.str() + ".jsonl");
    if (auto ok = export_run(store, id, path.string(), {}); !ok)
      return ok;
  }
  return {};
}

} // namespace

result<retention_report> retain(event_store& store, const retention_rule& rule,
                                timestamp now) {
  if (auto ok = check(rule); !ok)
    return ok.error();
  retention_report out;
  auto used = store.used_bytes();
  if (!used)
    return used.error();
  out.bytes_before = *used;
  auto query = query_of(rule);
  for (bool is_last = false;
       !is_last && *used > rule.used_bytes_max.value_or(0);) {
    const auto rows = store.list(query);
    if (!rows)
      return rows.error();
    is_last = rows->size() < query.limit;
    const auto too_much = *used - rule.used_bytes_max.value_or(0);
    std::uint64_t bytes = 0;
    std::vector<run_id> going;
    for (const auto& row : *rows) {
      query.after = row.id;
      if (row.updated_at > now - rule.older_than
          || (rule.tenant && row.tenant != rule.tenant))
        continue;
      going.push_back(row.id);
      if (!rule.used_bytes_max)
        continue;
      const auto size = bytes_of(store, row.id);
      if (!size)
        return size.error();
      bytes += *size;
      if (bytes >= too_much) {
        is_last = false; // The rest of the page, if that was not enough.
        break;
      }
    }
    if (going.empty())
      continue;
    if (auto ok = archive(store, rule, going); !ok)
      return ok.error();
    const auto gone = store.erase(going);
    if (!gone)
      return gone.error();
    out.erased += *gone;
    out.spared += going.size() - *gone;
    used = store.used_bytes();
    if (!used)
      return used.error();
  }
  if (out.erased != 0)
    if (auto ok = store.reclaim(); !ok)
      return ok.error();
  used = store.used_bytes();
  if (!used)
    return used.error();
  out.bytes_after = *used;
  return out;
}

} // namespace kestrion
