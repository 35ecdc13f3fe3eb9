#include <kestrion/store/sqlite_inbox.hpp>

#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/sqlite_reader.hpp>

#include <sqlite3.h>

#include <string_view>
#include <utility>

namespace kestrion {

result<sqlite_inbox> sqlite_inbox::prepare(sqlite_connection& db) {
  sqlite_inbox out{db};
  const std::pair<sqlite_statement*, std::string_view> all[] = {
    {&out.post_, "INSERT INTO inbox(run, data, at) VALUES(?,?,?)"},
    {&out.answer_,
     "UPDATE inbox SET answer = ? WHERE id = ? AND answer IS NULL"},
    {&out.waits_, "SELECT 1 FROM inbox WHERE id = ? AND answer IS NULL"},
    {&out.remove_, "DELETE FROM inbox WHERE id = ?"},
    {&out.clear_, "DELETE FROM inbox WHERE run = ? AND answer IS NULL"},
    {&out.status_, "SELECT status FROM runs WHERE id = ?"}};
  for (const auto& [statement, sql] : all) {
    auto prepared = db.prepare(sql);
    if (!prepared)
      return prepared.error();
    *statement = std::move(*prepared);
  }
  return out;
}

std::vector<result<std::uint64_t>>
sqlite_inbox::post_all(std::span<const inbox_post> posts) {
  std::vector<result<std::uint64_t>> out;
  out.reserve(posts.size());
  if (auto ok = post_each(posts, out); !ok)
    out.assign(posts.size(), ok.error());
  return out;
}

/// In one transaction, so that no run ends in between.
result<void> sqlite_inbox::post_each(std::span<const inbox_post> posts,
                                     std::vector<result<std::uint64_t>>& out) {
  auto transaction =
    sqlite_transaction::begin(*db_, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  for (const auto& each : posts) {
    const auto status = find_status(each.run);
    if (!status && status.error().code != errc::not_found)
      return status.error();
    if (!status || is_terminal(*status)) {
      out.push_back(status ? run_ended(each.run, *status) : status.error());
      continue;
    }
    if (auto ok = post_.run(each.run, each.data, system_now()); !ok)
      return ok;
    out.push_back(
      static_cast<std::uint64_t>(sqlite3_last_insert_rowid(db_->raw())));
  }
  return transaction->commit();
}

/// @par Errors `not_found`, `corrupt`, `io`
result<run_status> sqlite_inbox::find_status(const run_id& run) {
  status_.start(run);
  const auto found = status_.step();
  if (!found)
    return found.error();
  if (!*found)
    return no_run(run);
  auto status = status_of(status_.text(0));
  status_.reset();
  if (!status)
    return error{errc::corrupt,
                 "the row of " + run.str() + ": " + status.error().detail};
  return status;
}

result<bool> sqlite_inbox::waits(std::uint64_t post) {
  waits_.start(static_cast<std::int64_t>(post));
  auto found = waits_.step();
  if (found && *found)
    waits_.reset();
  return found;
}

result<void> sqlite_inbox::answer(std::span<const inbox_answer> answers) {
  if (answers.empty())
    return {};
  auto transaction =
    sqlite_transaction::begin(*db_, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  for (const auto& each : answers)
    if (auto ok = answer_one(each); !ok)
      return ok;
  return transaction->commit();
}

result<bool> sqlite_inbox::take_back(std::uint64_t id) {
  auto transaction =
    sqlite_transaction::begin(*db_, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  auto waiting = waits(id);
  if (!waiting || !*waiting)
    return waiting;
  if (auto ok = remove_.run(static_cast<std::int64_t>(id)); !ok)
    return ok.error();
  if (auto ok = transaction->commit(); !ok)
    return ok.error();
  return true;
}

result<void> sqlite_inbox::remove(std::span<const std::uint64_t> ids) {
  if (ids.empty())
    return {};
  auto transaction =
    sqlite_transaction::begin(*db_, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  for (const auto id : ids)
    if (auto ok = remove_.run(static_cast<std::int64_t>(id)); !ok)
      return ok;
  return transaction->commit();
}

result<void> sqlite_inbox::answer_one(const inbox_answer& x) {
  return answer_.run(x.data, static_cast<std::int64_t>(x.id));
}

result<void> sqlite_inbox::clear(const run_id& run) {
  return clear_.run(run);
}

} // namespace kestrion
