#include <kestrion/store/sqlite_writer.hpp>

#include <kestrion/messages/digest.hpp>
#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/sqlite_migrations.hpp>
#include <kestrion/store/sqlite_reader.hpp>

#include <sqlite3.h>

#include <utility>

namespace kestrion {

namespace {

/// FULL: in WAL mode a commit returns after its fsync. The WAL is copied back
/// every 32 MiB (4,000 pages of 8 KiB): rarely enough that hot pages are
/// written once for many commits.
constexpr const char* writer_settings = "PRAGMA synchronous=FULL;"
                                        "PRAGMA foreign_keys=OFF;"
                                        "PRAGMA trusted_schema=OFF;"
                                        "PRAGMA cell_size_check=ON;"
                                        "PRAGMA cache_size=-65536;" // KiB
                                        "PRAGMA wal_autocheckpoint=4000;"
                                        "PRAGMA journal_size_limit=67108864;";

/// Who posts a message takes its answer away, unless it died before.
result<void> forget_old_answers(sqlite_connection& db) {
  auto forget =
    db.prepare("DELETE FROM inbox WHERE answer IS NOT NULL AND at < ?");
  if (!forget)
    return forget.error();
  return forget->run(system_now() - std::chrono::hours{1});
}

/// Data that is too large for its row, without its longer strings, or else as
/// a whole: a reference alone, without a size.
split_text split_event(std::string_view data) {
  auto out = take_payloads_out(data, inline_string_max);
  if (!out.payloads.empty() && out.text.size() <= inline_bytes_max)
    return out;
  auto hash = sha256_hex(data);
  return {whole_reference(hash), {{hash, data}}};
}

/// Which blobs a row needs.
std::string hashes_of(const split_text& split) {
  std::string out;
  for (const auto& each : split.payloads)
    out += (out.empty() ? "" : " ") + each.hash;
  return out;
}

} // namespace

result<std::unique_ptr<sqlite_writer>>
sqlite_writer::open(const std::string& path, sqlite_options options) {
  auto db = sqlite_connection::open(path, true);
  if (!db)
    return db.error();
  if (auto ok = migrate(*db, path); !ok)
    return ok.error();
  if (auto ok = db->run(writer_settings); !ok)
    return ok.error();
  if (auto ok = forget_old_answers(*db); !ok)
    return ok.error();
  std::unique_ptr<sqlite_writer> out{new sqlite_writer{std::move(*db)}};
  if (auto ok = out->prepare_all(); !ok)
    return ok.error();
  auto owners = sqlite_owners::enter(out->db_, std::move(options));
  if (!owners)
    return owners.error();
  out->owners_ = std::move(*owners);
  auto ownership = sqlite_ownership::prepare(out->db_, *out->owners_);
  if (!ownership)
    return ownership.error();
  out->ownership_ = std::move(*ownership);
  auto inbox = sqlite_inbox::prepare(out->db_);
  if (!inbox)
    return inbox.error();
  out->inbox_ = std::move(*inbox);
  auto shared = sqlite_shared::prepare(out->db_);
  if (!shared)
    return shared.error();
  out->shared_ = std::move(*shared);
  return out;
}

result<void> sqlite_writer::prepare_all() {
  const std::pair<sqlite_statement*, std::string_view> all[] = {
    {&find_end_,
     "SELECT rowid, last_seq, last_event, ifnull(owner, 0), status, wake_at, "
     "hash FROM runs WHERE id = ?"},
    {&find_by_key_, "SELECT id FROM runs WHERE agent = ? AND key = ?"},
    {&insert_run_,
     "INSERT INTO runs(id, agent, status, last_seq, last_event, created_at, "
     "updated_at, parent, tenant, key, wake_at, owner, hash) "
     "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {&update_run_, "UPDATE runs SET last_seq = ?, last_event = ?, hash = ?, "
                   "status = ?, updated_at = ?, owner = ? WHERE rowid = ?"},
    // Setting a column that has an index writes to the index, even if the value
    // stays the same.
    {&prolong_run_, "UPDATE runs SET last_seq = ?, last_event = ?, hash = ?, "
                    "updated_at = ? WHERE rowid = ?"},
    {&set_wake_, "UPDATE runs SET wake_at = ? WHERE rowid = ?"},
    {&insert_event_, "INSERT INTO events(run, seq, at, type, data, blob, "
                     "previous, hash) VALUES(?,?,?,?,?,?,?,?)"},
    {&put_blob_, "INSERT INTO blobs(hash, bytes) VALUES(?,?) "
                 "ON CONFLICT(hash) DO NOTHING"},
    {&put_snapshot_,
     "INSERT INTO snapshots(run, seq, version, data) VALUES(?,?,?,?) "
     "ON CONFLICT(run) DO UPDATE SET seq = excluded.seq, "
     "version = excluded.version, data = excluded.data "
     "WHERE excluded.seq >= seq OR excluded.version <> version"},
    {&foreign_commits_, "PRAGMA data_version"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = db_.prepare(sql);
    if (!prepared)
      return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

std::vector<result<std::uint64_t>>
sqlite_writer::append(std::span<const append_request> requests) {
  std::vector<result<std::uint64_t>> out;
  out.reserve(requests.size());
  bool any = false;
  for (const auto& request : requests) {
    auto ok = check_append(request);
    any = any || ok;
    out.push_back(ok ? result<std::uint64_t>{0} : ok.error());
  }
  if (!any)
    return out;
  std::vector<result<std::uint64_t>> done = out;
  if (auto ok = append_all(requests, done); ok)
    return done;
  else
    for (auto& each : out)
      if (each)
        each = ok.error();
  return out;
}

result<void>
sqlite_writer::append_all(std::span<const append_request> requests,
                          std::vector<result<std::uint64_t>>& out) {
  auto transaction = owners_->begin();
  if (!transaction)
    return transaction.error();
  auto known = take_known_ends();
  if (!known)
    return known.error();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto& request = requests[i];
    if (!out[i])
      continue;
    const auto run = request.run.str(); // Once for all that is bound to it.
    const auto cached = known->find(request.run);
    auto end =
      cached == known->end() ? find_end(run) : result<log_end>{cached->second};
    if (!end)
      return end.error();
    // Nothing of a request is written before it is known to fit, so one that
    // does not leaves no trace in the transaction of the others.
    if (auto fits = check_fit(request, *end); !fits) {
      if (fits.error().code != errc::conflict)
        return fits;
      out[i] = fits.error();
      continue;
    }
    if (auto ok = append_one(request, run, *end); !ok)
      return ok;
    out[i] = end->seq;
    if (is_at_rest(end->status))
      known->erase(request.run);
    else
      known->insert_or_assign(request.run, *end);
  }
  if (auto ok = transaction->commit(); !ok)
    return ok;
  ends_ = std::move(*known);
  return {};
}

/// Inside a transaction, so that what holds now holds until its end.
result<sqlite_writer::log_ends> sqlite_writer::take_known_ends() {
  auto known = std::exchange(ends_, {});
  const auto version = foreign_commits();
  if (!version)
    return version.error();
  if (std::exchange(ends_version_, *version) != *version)
    known.clear();
  return known;
}

result<sqlite_writer::log_end> sqlite_writer::find_end(std::string_view run) {
  find_end_.start(run);
  const auto found = find_end_.step();
  if (!found)
    return found.error();
  if (!*found)
    return log_end{};
  const auto status = status_of(find_end_.text(4));
  log_end out{
    find_end_.integer(0), static_cast<std::uint64_t>(find_end_.integer(1)),
    find_end_.integer(2), find_end_.digest(6),
    find_end_.integer(3), status ? *status : run_status::pending};
  if (!find_end_.is_null(5))
    out.wake_at = find_end_.time(5);
  find_end_.reset();
  if (!status)
    return error{errc::corrupt, "the row of " + std::string{run} + ": "
                                  + status.error().detail};
  return out;
}

/// @par Errors `conflict` if the request does not fit the log that ends at
///   `end`; others if that could not be found out.
result<void> sqlite_writer::check_fit(const append_request& request,
                                      const log_end& end) {
  if (auto ok = ownership_->check(request.run, end.owner); !ok)
    return ok;
  if (end.seq != request.expected_seq)
    return seq_conflict(request.run, request.expected_seq, end.seq);
  if (request.answer) {
    const auto waiting = inbox_->waits(request.answer->id);
    if (!waiting)
      return waiting.error();
    if (!*waiting)
      return post_conflict(request.run, request.answer->id);
  }
  return check_key(request);
}

/// @par Errors `conflict` if another run has the key of a new one; `io`
result<void> sqlite_writer::check_key(const append_request& request) {
  if (!request.created || !request.created->key)
    return {};
  const auto& agent = request.created->agent;
  const auto& key = *request.created->key;
  find_by_key_.start(agent, key);
  const auto taken = find_by_key_.step();
  if (!taken)
    return taken.error();
  if (!*taken)
    return {};
  const auto other = run_id::parse(find_by_key_.text(0));
  find_by_key_.reset();
  if (!other)
    return error{errc::corrupt, "a row of runs: " + other.error().detail};
  return key_conflict(agent, key, *other);
}

std::optional<std::int64_t> sqlite_writer::owner_after(run_status s) const {
  return is_at_rest(s) ? std::nullopt : std::optional{owners_->id()};
}

/// Moves `end` to the new end.
result<void> sqlite_writer::append_one(const append_request& request,
                                       std::string_view run, log_end& end) {
  if (request.created)
    end.hash = chain_.start(request.run);
  for (const auto& e : request.events)
    if (auto ok = insert_event(run, e, end); !ok)
      return ok;
  if (request.answer)
    if (auto ok = inbox_->answer_one(*request.answer); !ok)
      return ok;
  if (is_terminal(request.status))
    if (auto ok = inbox_->clear(request.run); !ok)
      return ok;
  auto written = request.created ? insert_run(first_row(request), end)
                                 : update_run(request, end);
  if (request.created)
    end.row = sqlite3_last_insert_rowid(db_.raw());
  end.status = request.status;
  end.wake_at = request.wake_at;
  end.owner = owner_after(request.status).value_or(0);
  return written;
}

/// @param end  The new one, with what else the row has now.
result<void> sqlite_writer::update_run(const append_request& request,
                                       const log_end& end) {
  const auto seq = static_cast<std::int64_t>(end.seq);
  const auto hash = blob_of(end.hash);
  const auto at = request.events.back().at;
  const auto owner = owner_after(request.status);
  if (end.wake_at != request.wake_at)
    if (auto ok = set_wake_.run(request.wake_at, end.row); !ok)
      return ok;
  if (end.status == request.status && end.owner == owner.value_or(0))
    return prolong_run_.run(seq, end.event, hash, at, end.row);
  return update_run_.run(seq, end.event, hash, to_string(request.status), at,
                         owner, end.row);
}

/// Moves `end` behind the event.
result<void> sqlite_writer::insert_event(std::string_view run,
                                         const encoded_event& e, log_end& end) {
  const auto previous =
    end.event == 0 ? std::nullopt : std::optional{end.event};
  ++end.seq;
  end.hash = chain_.next(end.hash, end.seq, e.at, e.type, e.data);
  std::string_view data = e.data;
  split_text split;
  std::optional<std::string> blob;
  if (data.size() > inline_bytes_max) {
    split = split_event(data);
    if (auto ok = keep_payloads(split); !ok)
      return ok;
    data = split.text;
    blob = hashes_of(split);
  }
  auto written =
    insert_event_.run(run, static_cast<std::int64_t>(end.seq), e.at, e.type,
                      data, blob, previous, blob_of(end.hash));
  end.event = sqlite3_last_insert_rowid(db_.raw());
  return written;
}

result<void> sqlite_writer::keep_payloads(const split_text& split) {
  for (const auto& each : split.payloads)
    if (auto ok = put_blob_.run(each.hash, blob_view{each.bytes}); !ok)
      return ok;
  return {};
}

result<void> sqlite_writer::insert_run(const run_row& row, const log_end& end) {
  return insert_run_.run(row.id, row.agent, to_string(row.status),
                         static_cast<std::int64_t>(row.last_seq), end.event,
                         row.created_at, row.updated_at, row.parent, row.tenant,
                         row.key, row.wake_at, owner_after(row.status),
                         blob_of(end.hash));
}

result<void>
sqlite_writer::put_snapshots(std::span<const run_snapshot> snapshots) {
  if (snapshots.empty())
    return {};
  auto transaction =
    sqlite_transaction::begin(db_, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  for (const auto& [run, each] : snapshots) {
    const auto split = take_payloads_out(each.data, inline_bytes_max);
    if (auto ok = keep_payloads(split); !ok)
      return ok;
    if (auto ok =
          put_snapshot_.run(run, static_cast<std::int64_t>(each.seq),
                            std::int64_t{each.version}, blob_view{split.text});
        !ok)
      return ok;
  }
  return transaction->commit();
}

result<void> sqlite_writer::delete_snapshots() {
  return db_.run("DELETE FROM snapshots");
}

result<std::string> sqlite_writer::put_blob(std::string_view bytes) {
  auto hash = sha256_hex(bytes);
  if (auto ok = put_blob_.run(hash, blob_view{bytes}); !ok)
    return ok.error();
  return hash;
}

result<void> sqlite_writer::release(const run_id& run) {
  ends_.erase(run);
  return ownership_->release(run);
}

result<std::uint64_t> sqlite_writer::erase(std::span<const run_id> runs) {
  auto transaction =
    sqlite_transaction::begin(db_, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  auto gone = erase_runs(db_, runs);
  if (!gone)
    return gone;
  if (auto ok = transaction->commit(); !ok)
    return ok.error();
  return gone;
}

result<void> sqlite_writer::reclaim() {
  ends_.clear(); // Rows of runs may get other ids.
  return reclaim_space(db_);
}

result<std::int64_t> sqlite_writer::foreign_commits() {
  foreign_commits_.start();
  const auto found = foreign_commits_.step();
  if (!found)
    return found.error();
  const auto out = foreign_commits_.integer(0);
  foreign_commits_.reset();
  return out;
}

} // namespace kestrion
