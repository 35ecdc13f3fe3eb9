#include <kestrion/store/sqlite_verify.hpp>

#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/log_chain.hpp>
#include <kestrion/store/sqlite_reader.hpp>

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace kestrion {

namespace {

/// A step of `search_flaw`: the row of the next event, compared with what has
/// to be there.
class flaw_search {
public:
  flaw_search(const run_id& run, sqlite_blobs& blobs)
    : run_(run), blobs_(&blobs), hash_(chain_.start(run)) {}

  /// @param row  Of `id, seq, at, type, data, blob, previous, hash`.
  /// @returns Why it is not the next one, or nothing. @par Errors `io`
  result<std::optional<log_flaw>> next(const sqlite_statement& row) {
    const auto seq = static_cast<std::uint64_t>(row.integer(1));
    if (seq == done_)
      return flaw(seq, "is there twice");
    if (seq != done_ + 1)
      return flaw(done_ + 1, "is missing");
    if (row.integer(6) != event_)
      return flaw(seq, "does not follow the one before it");
    const auto hashes =
      row.is_null(5) ? std::nullopt : std::optional{std::string{row.text(5)}};
    const auto data = blobs_->whole_data(row.text(4), hashes);
    if (!data && data.error().code == errc::io)
      return data.error();
    if (!data)
      return flaw(seq, "has lost its data: " + data.error().detail);
    const auto hash = chain_.next(hash_, seq, row.time(2), row.text(3), *data);
    if (hash != row.digest(7))
      return flaw(seq, "does not fit its hash");
    done_ = seq;
    event_ = row.integer(0);
    hash_ = hash;
    return std::optional<log_flaw>{};
  }

  /// What is left to compare when there are no more rows.
  std::optional<log_flaw> last(const noted_end& end) const {
    if (done_ < end.seq)
      return log_flaw{done_ + 1, "is missing"};
    if (done_ > end.seq)
      return log_flaw{end.seq + 1, "is behind the end of the log"};
    if (event_ != end.event || hash_ != end.hash)
      return log_flaw{done_, "is not what the log ended with"};
    return std::nullopt;
  }

  log_check found(std::optional<log_flaw> flaw) const {
    return {run_, done_, to_hex(hash_), std::move(flaw)};
  }

private:
  static std::optional<log_flaw> flaw(std::uint64_t seq, std::string why) {
    return log_flaw{seq, std::move(why)};
  }

  run_id run_;
  sqlite_blobs* blobs_;
  log_chain chain_;
  std::uint64_t done_ = 0;
  std::int64_t event_ = 0; ///< The id of the row at `done_`.
  sha256_digest hash_;
};

/// The data of an event as it was appended, or, if that is lost, what is left.
result<std::string> data_or_rest(sqlite_blobs& blobs,
                                 const sqlite_statement& row, int data,
                                 int hashes) {
  if (row.is_null(hashes))
    return std::string{row.text(data)};
  auto whole = blobs.whole_data(row.text(data), std::string{row.text(hashes)});
  if (!whole && whole.error().code != errc::io)
    return std::string{row.text(data)};
  return whole;
}

} // namespace

result<log_check> search_flaw(sqlite_connection& db, sqlite_blobs& blobs,
                              const run_id& run, const noted_end& end) {
  auto rows = db.prepare("SELECT id, seq, at, type, data, blob, "
                         "ifnull(previous, 0), hash "
                         "FROM events WHERE run = ? ORDER BY seq, id");
  if (!rows)
    return rows.error();
  rows->start(run);
  flaw_search search{run, blobs};
  while (true) {
    const auto found = rows->step();
    if (!found)
      return found.error();
    if (!*found)
      return search.found(search.last(end));
    auto flaw = search.next(*rows);
    if (!flaw)
      return flaw.error();
    if (*flaw)
      return search.found(std::move(*flaw));
  }
}

result<void> add_hashes(sqlite_connection& db) {
  auto blobs = sqlite_blobs::prepare(db);
  auto rows = db.prepare(
    "SELECT id, run, seq, at, type, data, blob FROM events ORDER BY id");
  auto set_event = db.prepare("UPDATE events SET hash = ? WHERE id = ?");
  auto set_run = db.prepare("UPDATE runs SET hash = ? WHERE id = ?");
  if (!blobs || !rows || !set_event || !set_run)
    return error{errc::io, "the hashes can't be added: "
                             + sqlite_failure(db.raw(), 1).detail};
  std::unordered_map<run_id, sha256_digest> ends;
  log_chain chain;
  rows->start();
  while (true) {
    const auto found = rows->step();
    if (!found)
      return found.error();
    if (!*found)
      break;
    const auto run = run_id::parse(rows->text(1));
    if (!run)
      continue; // No log has it.
    const auto data = data_or_rest(*blobs, *rows, 5, 6);
    if (!data)
      return data.error();
    auto& hash = ends.try_emplace(*run, chain.start(*run)).first->second;
    hash = chain.next(hash, static_cast<std::uint64_t>(rows->integer(2)),
                      rows->time(3), rows->text(4), *data);
    if (auto ok = set_event->run(blob_of(hash), rows->integer(0)); !ok)
      return ok;
  }
  for (const auto& [run, hash] : ends)
    if (auto ok = set_run->run(blob_of(hash), run); !ok)
      return ok;
  return {};
}

result<log_check> sqlite_reader::verify(const run_id& run) {
  auto transaction =
    sqlite_transaction::begin(db_, sqlite_transaction::mode::read);
  if (!transaction)
    return transaction.error();
  end_of_log_.start(run);
  const auto found = end_of_log_.step();
  if (!found)
    return found.error();
  if (!*found)
    return no_run(run);
  const noted_end end{static_cast<std::uint64_t>(end_of_log_.integer(0)),
                      end_of_log_.integer(1), end_of_log_.digest(2)};
  end_of_log_.reset();
  const auto events = read_chain(run, 0);
  if (!events && events.error().code == errc::io)
    return events.error();
  if (events)
    if (auto out = check_log(run, *events, end.hash); !out.flaw)
      return out;
  return search_flaw(db_, blobs_, run, end);
}

} // namespace kestrion
