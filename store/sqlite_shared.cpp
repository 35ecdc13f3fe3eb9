#include <kestrion/store/sqlite_shared.hpp>

#include <utility>

namespace kestrion {

result<sqlite_shared> sqlite_shared::prepare(sqlite_connection& db) {
  sqlite_shared out{db};
  auto find = db.prepare("SELECT data FROM shared WHERE name = ?");
  if (!find)
    return find.error();
  auto put = db.prepare("INSERT INTO shared(name, data) VALUES(?, ?) "
                        "ON CONFLICT(name) DO UPDATE SET data = excluded.data");
  if (!put)
    return put.error();
  out.find_ = std::move(*find);
  out.put_ = std::move(*put);
  return out;
}

result<std::string> sqlite_shared::find(std::string_view name) {
  find_.start(name);
  const auto found = find_.step();
  if (!found)
    return found.error();
  std::string out;
  if (*found)
    out = find_.text(0);
  find_.reset();
  return out;
}

result<void> sqlite_shared::update(
  std::string_view name,
  const std::function<std::string(const std::string&)>& change) {
  auto transaction =
    sqlite_transaction::begin(*db_, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  const auto before = find(name);
  if (!before)
    return before.error();
  const auto after = change(*before);
  if (after == *before)
    return {};
  if (auto ok = put_.run(name, after); !ok)
    return ok;
  return transaction->commit();
}

} // namespace kestrion
