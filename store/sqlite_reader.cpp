#include <kestrion/store/sqlite_reader.hpp>

#include <kestrion/store/append_rules.hpp>

#include <boost/describe/enum_from_string.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace kestrion {

namespace {

constexpr auto integer_max =
  static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

error corrupt_event(const run_id& run, std::uint64_t seq,
                    std::string_view what) {
  return {errc::corrupt, "event " + std::to_string(seq) + " of " + run.str()
                           + " " + std::string{what}};
}

std::int64_t row_limit(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(limit, integer_max));
}

/// All rows of a query for `run_columns`.
result<std::vector<run_row>> all_rows(sqlite_statement& query) {
  std::vector<run_row> out;
  while (true) {
    const auto found = query.step();
    if (!found)
      return found.error();
    if (!*found)
      return out;
    auto row = run_row_of(query);
    if (!row) {
      query.reset();
      return row.error();
    }
    out.push_back(std::move(*row));
  }
}

/// The one row of a query for `run_columns`, or nothing.
result<std::optional<run_row>> only_row(sqlite_statement& query) {
  const auto found = query.step();
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<run_row>{};
  auto row = run_row_of(query);
  query.reset();
  if (!row)
    return row.error();
  return std::optional{std::move(*row)};
}

std::optional<std::string> optional_text(const sqlite_statement& row,
                                         int column) {
  if (row.is_null(column))
    return std::nullopt;
  return std::string{row.text(column)};
}

/// Adds " AND …" to a condition for each member of the query that is set; the
/// parameters are bound in the same order by `bind_some`.
/// @param has_status  It asks for one; it is bound first.
std::string select_sql(const run_query& query, bool has_status) {
  std::string sql = "SELECT " + std::string{run_columns} + " FROM runs WHERE 1";
  if (has_status)
    sql += " AND status = ?";
  if (query.has_parent)
    sql += " AND parent IS NOT NULL";
  if (query.agent)
    sql += " AND agent = ?";
  if (query.parent)
    sql += " AND parent = ?";
  if (query.created_from)
    sql += " AND created_at >= ?";
  if (query.created_until)
    sql += " AND created_at < ?";
  if (query.after)
    sql += " AND id > ?";
  return sql;
}

/// One select a status: each is in order by its index, so they are merged page
/// by page, where `status IN (…)` would sort all of them for every page.
std::string list_sql(const run_query& query) {
  std::string sql = select_sql(query, !query.statuses.empty());
  for (std::size_t i = 1; i < query.statuses.size(); ++i)
    sql += " UNION ALL " + select_sql(query, true);
  return sql + " ORDER BY id LIMIT ?";
}

void bind_some(sqlite_statement& list, const run_query& query, int& at) {
  if (query.agent)
    list.bind(++at, *query.agent);
  if (query.parent)
    list.bind(++at, *query.parent);
  if (query.created_from)
    list.bind(++at, *query.created_from);
  if (query.created_until)
    list.bind(++at, *query.created_until);
  if (query.after)
    list.bind(++at, *query.after);
}

void bind_query(sqlite_statement& list, const run_query& query) {
  int at = 0;
  if (query.statuses.empty())
    bind_some(list, query, at);
  for (const auto status : query.statuses) {
    list.bind(++at, to_string(status));
    bind_some(list, query, at);
  }
  list.bind(++at, row_limit(query.limit));
}

} // namespace

result<run_status> status_of(std::string_view name) {
  run_status out{};
  if (!boost::describe::enum_from_string(std::string{name}.c_str(), out))
    return error{errc::corrupt, "\"" + std::string{name.substr(0, 64)}
                                  + "\" is no status of a run"};
  return out;
}

result<run_row> run_row_of(const sqlite_statement& row) {
  run_row out;
  const auto id = run_id::parse(row.text(0));
  if (!id)
    return error{errc::corrupt, "a row of runs: " + id.error().detail};
  out.id = *id;
  out.agent = row.text(1);
  const auto status = status_of(row.text(2));
  if (!status)
    return error{errc::corrupt,
                 "the row of " + out.id.str() + ": " + status.error().detail};
  out.status = *status;
  out.last_seq = static_cast<std::uint64_t>(row.integer(3));
  out.created_at = row.time(4);
  out.updated_at = row.time(5);
  if (!row.is_null(6)) {
    const auto parent = run_id::parse(row.text(6));
    if (!parent)
      return error{errc::corrupt, "the parent of " + out.id.str() + ": "
                                    + parent.error().detail};
    out.parent = *parent;
  }
  out.tenant = optional_text(row, 7);
  out.key = optional_text(row, 8);
  if (!row.is_null(9))
    out.wake_at = row.time(9);
  return out;
}

result<std::unique_ptr<sqlite_reader>>
sqlite_reader::open(const std::string& path) {
  auto db = sqlite_connection::open(path, false);
  if (!db)
    return db.error();
  // No mmap: a file that shrinks under us would be a SIGBUS, not an error.
  if (auto ok = db->run("PRAGMA query_only=ON; PRAGMA cell_size_check=ON;");
      !ok)
    return ok.error();
  std::unique_ptr<sqlite_reader> out{new sqlite_reader{std::move(*db)}};
  if (auto ok = out->prepare_all(); !ok)
    return ok.error();
  return out;
}

result<void> sqlite_reader::prepare_all() {
  const auto select =
    "SELECT " + std::string{run_columns} + " FROM runs WHERE ";
  const std::pair<sqlite_statement*, std::string> all[] = {
    {&find_, select + "id = ?"},
    {&find_by_key_, select + "agent = ? AND key = ?"},
    {&end_of_log_, "SELECT last_seq, last_event, hash FROM runs WHERE id = ?"},
    {&event_, "SELECT run, seq, at, type, data, blob, previous, hash "
              "FROM events WHERE id = ?"},
    {&due_, select
              + "wake_at <= ? AND (wake_at, id) > (?, ?) "
                "ORDER BY wake_at, id LIMIT ?"},
    {&next_wake_, "SELECT min(wake_at) FROM runs WHERE wake_at > ?"},
    {&snapshot_, "SELECT seq, version, data FROM snapshots WHERE run = ?"},
    {&inbox_, "SELECT inbox.id, run, data, at FROM inbox JOIN runs "
              "ON runs.id = run WHERE owner = ? AND answer IS NULL "
              "ORDER BY inbox.id LIMIT ?"},
    {&answer_, "SELECT answer FROM inbox WHERE id = ?"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = db_.prepare(sql);
    if (!prepared)
      return prepared.error();
    *statement = std::move(*prepared);
  }
  auto blobs = sqlite_blobs::prepare(db_);
  if (!blobs)
    return blobs.error();
  blobs_ = std::move(*blobs);
  return {};
}

result<std::vector<stored_event>> sqlite_reader::read(const run_id& run,
                                                      std::uint64_t after_seq) {
  // The log may grow while we walk it; a transaction keeps the view.
  auto transaction =
    sqlite_transaction::begin(db_, sqlite_transaction::mode::read);
  if (!transaction)
    return transaction.error();
  return read_chain(run, after_seq);
}

result<std::vector<stored_event>>
sqlite_reader::read_chain(const run_id& run, std::uint64_t after_seq) {
  std::vector<stored_event> out;
  end_of_log_.start(run);
  const auto found = end_of_log_.step();
  if (!found)
    return found.error();
  if (!*found)
    return out;
  const auto last_seq = static_cast<std::uint64_t>(end_of_log_.integer(0));
  auto id = end_of_log_.integer(1);
  end_of_log_.reset();
  for (auto seq = last_seq; seq > after_seq; --seq) {
    auto read = read_event(run, seq, id);
    if (!read)
      return read.error();
    out.push_back(std::move(*read));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

/// @param id  Of the event's row; afterwards that of the one before it.
result<stored_event> sqlite_reader::read_event(const run_id& run,
                                               std::uint64_t seq,
                                               std::int64_t& id) {
  event_.start(id);
  const auto found = event_.step();
  if (!found)
    return found.error();
  if (!*found)
    return corrupt_event(run, seq, "is missing");
  stored_event out{seq, event_.time(2), std::string{event_.text(3)},
                   std::string{event_.text(4)}, event_.digest(7)};
  const auto blob = optional_text(event_, 5);
  const bool in_place = event_.text(0) == run.str()
                        && event_.integer(1) == static_cast<std::int64_t>(seq)
                        && event_.is_null(6) == (seq == 1);
  id = event_.integer(6);
  event_.reset();
  if (!in_place)
    return corrupt_event(run, seq, "is not where its log says it is");
  if (!blob)
    return out;
  auto data = blobs_.whole_data(out.data, blob);
  if (!data && data.error().code == errc::io)
    return data.error();
  if (!data)
    return corrupt_event(run, seq, "has lost its data: " + data.error().detail);
  out.data = std::move(*data);
  return out;
}

result<std::optional<run_row>> sqlite_reader::find(const run_id& run) {
  find_.start(run);
  return only_row(find_);
}

result<std::optional<run_row>>
sqlite_reader::find_by_key(std::string_view agent, std::string_view key) {
  find_by_key_.start(agent, key);
  return only_row(find_by_key_);
}

result<std::vector<run_row>> sqlite_reader::list(const run_query& query) {
  auto distinct = query;
  auto& statuses = distinct.statuses;
  std::sort(statuses.begin(), statuses.end());
  statuses.erase(std::unique(statuses.begin(), statuses.end()), statuses.end());
  auto statement = db_.prepare(list_sql(distinct));
  if (!statement)
    return statement.error();
  bind_query(*statement, distinct);
  return all_rows(*statement);
}

result<std::vector<run_row>>
sqlite_reader::due(timestamp now, const std::optional<run_row>& after,
                   std::size_t limit) {
  const bool is_first = !after || !after->wake_at;
  due_.start(now, is_first ? timestamp::min() : *after->wake_at,
             is_first ? std::string{} : after->id.str(), row_limit(limit));
  return all_rows(due_);
}

result<std::optional<timestamp>> sqlite_reader::next_wake(timestamp now) {
  next_wake_.start(now);
  const auto found = next_wake_.step();
  if (!found)
    return found.error();
  std::optional<timestamp> out;
  if (!next_wake_.is_null(0))
    out = next_wake_.time(0);
  next_wake_.reset();
  return out;
}

result<std::optional<snapshot>>
sqlite_reader::find_snapshot(const run_id& run) {
  snapshot_.start(run);
  const auto found = snapshot_.step();
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<snapshot>{};
  std::optional<snapshot> out{{static_cast<std::uint64_t>(snapshot_.integer(0)),
                               static_cast<std::uint32_t>(snapshot_.integer(1)),
                               std::string{snapshot_.text(2)}}};
  snapshot_.reset();
  auto data = blobs_.whole_text(out->data);
  if (!data && data.error().code == errc::io)
    return data.error();
  if (!data)
    return error{errc::corrupt,
                 "the snapshot of " + run.str() + ": " + data.error().detail};
  out->data = std::move(*data);
  return out;
}

result<std::vector<inbox_item>> sqlite_reader::inbox(std::int64_t owner) {
  std::vector<inbox_item> out;
  inbox_.start(owner, static_cast<std::int64_t>(inbox_page));
  while (true) {
    const auto found = inbox_.step();
    if (!found)
      return found.error();
    if (!*found)
      return out;
    const auto run = run_id::parse(inbox_.text(1));
    if (!run) {
      inbox_.reset();
      return error{errc::corrupt, "a row of inbox: " + run.error().detail};
    }
    out.push_back({static_cast<std::uint64_t>(inbox_.integer(0)), *run,
                   std::string{inbox_.text(2)}, inbox_.time(3)});
  }
}

result<std::optional<std::string>>
sqlite_reader::find_answer(std::uint64_t id) {
  answer_.start(static_cast<std::int64_t>(id));
  const auto found = answer_.step();
  if (!found)
    return found.error();
  if (!*found)
    return no_post(id);
  std::optional<std::string> out;
  if (!answer_.is_null(0))
    out = answer_.text(0);
  answer_.reset();
  return out;
}

} // namespace kestrion
