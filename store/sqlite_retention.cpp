#include <kestrion/store/sqlite_retention.hpp>

#include <kestrion/store/payloads.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace kestrion {

namespace {

/// Who is to go is in the table `leaving`; those that others need are taken out
/// of it: what has not ended, what a run that has not ended is below (it may
/// still ask for the answer), and all above such a run.
constexpr const char* spare_the_living = R"sql(
DELETE FROM leaving WHERE id NOT IN (
  SELECT id FROM runs
  WHERE status IN ('completed', 'failed', 'expired', 'cancelled'));
DELETE FROM leaving WHERE id IN (
  SELECT child.id FROM runs AS child JOIN runs AS above
    ON above.id = child.parent
  WHERE above.status NOT IN ('completed', 'failed', 'expired', 'cancelled'));
WITH RECURSIVE above(id) AS (
  SELECT parent FROM runs
  WHERE parent IS NOT NULL
    AND status NOT IN ('completed', 'failed', 'expired', 'cancelled')
  UNION
  SELECT parent FROM runs JOIN above ON runs.id = above.id
  WHERE parent IS NOT NULL)
DELETE FROM leaving WHERE id IN (SELECT id FROM above);
)sql";

/// All events of those who go, by the chains of their logs: a scan of the table
/// would take as long as all that stays is large.
constexpr const char* find_their_events = R"sql(
WITH RECURSIVE log(id) AS (
  SELECT last_event FROM runs WHERE runs.id IN (SELECT id FROM leaving)
  UNION ALL
  SELECT previous FROM events JOIN log ON events.id = log.id
  WHERE previous IS NOT NULL)
INSERT INTO leaving_events SELECT id FROM log;
)sql";

/// Texts that may name blobs, of those who go and of those who stay. Data that
/// is a blob as a whole names its images in there.
constexpr const char* of_leaving[] = {
  "SELECT ifnull(blob, ''), data FROM events JOIN leaving_events USING(id) "
  "WHERE blob IS NOT NULL OR instr(data, '\"blob\":\"')",
  "SELECT '', CAST(bytes AS TEXT) FROM blobs WHERE hash IN "
  "(SELECT blob FROM events JOIN leaving_events USING(id))",
  "SELECT '', CAST(data AS TEXT) FROM snapshots JOIN leaving ON id = run"};
constexpr const char* of_staying[] = {
  "SELECT ifnull(blob, ''), data FROM events "
  "WHERE (blob IS NOT NULL OR instr(data, '\"blob\":\"')) "
  "AND id NOT IN (SELECT id FROM leaving_events)",
  "SELECT '', CAST(bytes AS TEXT) FROM blobs WHERE hash IN "
  "(SELECT blob FROM events WHERE id NOT IN (SELECT id FROM leaving_events))",
  "SELECT '', CAST(data AS TEXT) FROM snapshots "
  "WHERE run NOT IN (SELECT id FROM leaving)"};

constexpr const char* remove_all = R"sql(
DELETE FROM events WHERE id IN (SELECT id FROM leaving_events);
DELETE FROM blobs WHERE hash IN (SELECT hash FROM leaving_blobs);
DELETE FROM snapshots WHERE run IN (SELECT id FROM leaving);
DELETE FROM inbox WHERE run IN (SELECT id FROM leaving);
DELETE FROM runs WHERE id IN (SELECT id FROM leaving);
)sql";

constexpr const char* make_room = R"sql(
CREATE TEMP TABLE IF NOT EXISTS leaving(id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS leaving_events(id INTEGER PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS leaving_blobs(hash TEXT PRIMARY KEY)
  WITHOUT ROWID;
DELETE FROM leaving; DELETE FROM leaving_events; DELETE FROM leaving_blobs;
)sql";

/// Calls `f` with each hash in a list of them, with blanks between.
template <class F>
result<void> for_each_in_list(std::string_view hashes, F f) {
  for (; hashes.size() >= payload_hash_length;
       hashes.remove_prefix(std::min(hashes.size(), payload_hash_length + 1)))
    if (auto ok = f(hashes.substr(0, payload_hash_length)); !ok)
      return ok;
  return {};
}

/// Calls `f` with each hash that a text names: images, and strings that were
/// taken out.
template <class F>
result<void> for_each_in_text(std::string_view text, F f) {
  for (const std::string_view mark : {R"("blob":")", R"("$blob":")"})
    for (auto at = text.find(mark); at != std::string_view::npos;
         at = text.find(mark, at + mark.size()))
      if (auto ok = f(text.substr(at + mark.size(), payload_hash_length)); !ok)
        return ok;
  return {};
}

/// Runs `sql` with each hash that a row of these queries names.
result<void> with_each_hash(sqlite_connection& db,
                            std::span<const char* const> queries,
                            std::string_view sql) {
  auto statement = db.prepare(sql);
  if (!statement)
    return statement.error();
  const auto run = [&](std::string_view hash) {
    return statement->run(hash);
  };
  for (const auto* query : queries) {
    auto rows = db.prepare(query);
    if (!rows)
      return rows.error();
    rows->start();
    while (true) {
      const auto found = rows->step();
      if (!found)
        return found.error();
      if (!*found)
        break;
      if (auto ok = for_each_in_list(rows->text(0), run); !ok)
        return ok;
      if (auto ok = for_each_in_text(rows->text(1), run); !ok)
        return ok;
    }
  }
  return {};
}

/// Blobs that those who go name, and nobody else.
result<void> find_their_blobs(sqlite_connection& db) {
  if (auto ok = with_each_hash(db, of_leaving,
                               "INSERT OR IGNORE INTO leaving_blobs VALUES(?)");
      !ok)
    return ok;
  const auto any = db.integer("SELECT count(*) FROM leaving_blobs");
  if (!any)
    return any.error();
  if (*any == 0)
    return {}; // To look at all that stays takes long.
  return with_each_hash(db, of_staying,
                        "DELETE FROM leaving_blobs WHERE hash = ?");
}

} // namespace

result<std::uint64_t> erase_runs(sqlite_connection& db,
                                 std::span<const run_id> runs) {
  if (auto ok = db.run(make_room); !ok)
    return ok.error();
  auto leave = db.prepare("INSERT OR IGNORE INTO leaving VALUES(?)");
  if (!leave)
    return leave.error();
  for (const auto& run : runs)
    if (auto ok = leave->run(run); !ok)
      return ok.error();
  for (const auto* sql : {spare_the_living, find_their_events})
    if (auto ok = db.run(sql); !ok)
      return ok.error();
  if (auto ok = find_their_blobs(db); !ok)
    return ok.error();
  const auto gone = db.integer("SELECT count(*) FROM leaving");
  if (!gone)
    return gone.error();
  if (auto ok = db.run(remove_all); !ok)
    return ok.error();
  return static_cast<std::uint64_t>(*gone);
}

result<std::uint64_t> used_bytes_of(sqlite_connection& db) {
  const auto pages = db.integer("PRAGMA page_count");
  const auto free = db.integer("PRAGMA freelist_count");
  const auto size = db.integer("PRAGMA page_size");
  for (const auto* each : {&pages, &free, &size})
    if (!*each)
      return each->error();
  return static_cast<std::uint64_t>((*pages - *free) * *size);
}

result<void> reclaim_space(sqlite_connection& db) {
  if (auto ok = db.run("VACUUM"); !ok)
    return ok;
  return db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

} // namespace kestrion
