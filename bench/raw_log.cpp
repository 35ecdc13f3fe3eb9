#include "raw_log.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string_view>

namespace bench {

namespace {

struct closer {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using database = std::unique_ptr<sqlite3, closer>;
using statement = std::unique_ptr<sqlite3_stmt, closer>;

void check(sqlite3* db, int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
    throw std::runtime_error(std::string{"SQLite: "} + sqlite3_errmsg(db));
}

database open(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(
    file.c_str(), &db,
    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database out{db};
  check(db, code);
  return out;
}

void run(const database& db, const std::string& sql) {
  check(db.get(),
        sqlite3_exec(db.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

statement prepare(const database& db, std::string_view sql) {
  sqlite3_stmt* out = nullptr;
  check(db.get(),
        sqlite3_prepare_v3(db.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &out, nullptr));
  return statement{out};
}

bool step(const database& db, const statement& s) {
  const int code = sqlite3_step(s.get());
  check(db.get(), code);
  return code == SQLITE_ROW;
}

std::string text(const statement& s, int column) {
  const auto* bytes = sqlite3_column_text(s.get(), column);
  const int size = sqlite3_column_bytes(s.get(), column);
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

void set(const statement& s, int at, std::string_view value) {
  sqlite3_bind_text64(s.get(), at, value.data(), value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

void set(const statement& s, int at, std::int64_t value) {
  sqlite3_bind_int64(s.get(), at, value);
}

/// The statements of an append.
class replayer {
public:
  explicit replayer(const database& db) : db_(db) {}

  void append(const raw_append& a) {
    std::int64_t row = 0;
    std::int64_t last = 0;
    set(find_, 1, a.run);
    if (step(db_, find_)) {
      row = sqlite3_column_int64(find_.get(), 0);
      last = sqlite3_column_int64(find_.get(), 2);
    }
    sqlite3_reset(find_.get());
    for (const auto& e : a.events)
      last = insert(a.run, e, last);
    if (a.is_last) {
      set(clear_inbox_, 1, a.run);
      finish(clear_inbox_);
    }
    if (row == 0)
      create(a, last);
    else
      update(a, row, last);
  }

private:
  std::int64_t insert(const std::string& run_id, const raw_event& e,
                      std::int64_t previous) {
    set(insert_event_, 1, run_id);
    set(insert_event_, 2, e.seq);
    set(insert_event_, 3, e.at);
    set(insert_event_, 4, e.type);
    set(insert_event_, 5, e.data);
    if (previous == 0)
      sqlite3_bind_null(insert_event_.get(), 7);
    else
      set(insert_event_, 7, previous);
    finish(insert_event_);
    return sqlite3_last_insert_rowid(db_.get());
  }

  void create(const raw_append& a, std::int64_t last) {
    set(insert_run_, 1, a.run);
    set(insert_run_, 2, a.agent);
    set(insert_run_, 3, a.status);
    set(insert_run_, 4, a.events.back().seq);
    set(insert_run_, 5, last);
    set(insert_run_, 6, a.events.front().at);
    set(insert_run_, 7, a.events.back().at);
    set(insert_run_, 11, owner);
    finish(insert_run_);
  }

  void update(const raw_append& a, std::int64_t row, std::int64_t last) {
    set(update_run_, 1, a.events.back().seq);
    set(update_run_, 2, last);
    set(update_run_, 3, a.status);
    set(update_run_, 4, a.events.back().at);
    if (a.is_last)
      sqlite3_bind_null(update_run_.get(), 5);
    else
      set(update_run_, 5, owner);
    set(update_run_, 6, row);
    finish(update_run_);
  }

  void finish(const statement& s) {
    step(db_, s);
    sqlite3_reset(s.get());
  }

  static constexpr std::int64_t owner = 1;
  const database& db_;
  statement clear_inbox_ = prepare(db_, "DELETE FROM inbox WHERE run = ?");
  statement find_ = prepare(
    db_, "SELECT rowid, last_seq, last_event, ifnull(owner, 0) FROM runs "
         "WHERE id = ?");
  statement insert_event_ =
    prepare(db_, "INSERT INTO events(run, seq, at, type, data, blob, previous) "
                 "VALUES(?,?,?,?,?,?,?)");
  statement insert_run_ =
    prepare(db_, "INSERT INTO runs(id, agent, status, last_seq, last_event, "
                 "created_at, updated_at, parent, tenant, key, owner) "
                 "VALUES(?,?,?,?,?,?,?,?,?,?,?)");
  statement update_run_ =
    prepare(db_, "UPDATE runs SET last_seq = ?, last_event = ?, status = ?, "
                 "updated_at = ?, owner = ? WHERE rowid = ?");
};

std::atomic<std::size_t> commits{0};

int count_commit(void*) {
  ++commits;
  return 0; // Let it commit.
}

int watch(sqlite3* db, const char**, const void*) {
  sqlite3_commit_hook(db, count_commit, nullptr);
  return SQLITE_OK;
}

/// As SQLite wants it: it calls it with the arguments of `watch`.
const auto watch_entry = reinterpret_cast<void (*)()>(watch);

} // namespace

recording record(const std::filesystem::path& store) {
  recording out;
  const auto db = open(store);
  const auto page_size = prepare(db, "PRAGMA page_size");
  step(db, page_size);
  out.page_size = sqlite3_column_int64(page_size.get(), 0);
  const auto schema =
    prepare(db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL "
                "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid");
  while (step(db, schema))
    out.schema.push_back(text(schema, 0));
  const auto events =
    prepare(db, "SELECT run, seq, at, type, data, runs.agent FROM events "
                "JOIN runs ON runs.id = events.run ORDER BY events.id");
  while (step(db, events)) {
    raw_event e{sqlite3_column_int64(events.get(), 1),
                sqlite3_column_int64(events.get(), 2), text(events, 3),
                text(events, 4)};
    const auto id = text(events, 0);
    // The events of one append have one time.
    const bool is_next = out.appends.empty() || out.appends.back().run != id
                         || out.appends.back().events.back().at != e.at;
    if (is_next)
      out.appends.push_back(
        {id, e.seq == 1 ? text(events, 5) : "", "running", {}, false});
    auto& append = out.appends.back();
    if (e.type == "run_completed" || e.type == "run_cancelled") {
      append.status = e.type.substr(std::string_view{"run_"}.size());
      append.is_last = true;
    }
    append.events.push_back(std::move(e));
    ++out.events;
  }
  return out;
}

/// As sqlite_writer.cpp has them.
constexpr const char* settings =
  "PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON;"
  "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;"
  "PRAGMA journal_size_limit=67108864;";

struct raw_log::impl {
  std::filesystem::path file;
  database db;
  database other; ///< Of another process, as it were.
  std::optional<replayer> append;
  statement last_event;
  statement event;
  statement insert_message;

  explicit impl(const std::filesystem::path& f) : file(f), db(open(f)) {}

  void begin() {
    run(db, settings);
    append.emplace(db);
    last_event = prepare(db, "SELECT last_event FROM runs WHERE id = ?");
    event = prepare(db, "SELECT seq, at, type, data, previous FROM events "
                        "WHERE id = ?");
  }
};

raw_log::raw_log(const std::filesystem::path& file, const recording& like)
  : impl_(std::make_unique<impl>(file)) {
  run(impl_->db, "PRAGMA page_size=" + std::to_string(like.page_size)
                   + "; PRAGMA journal_mode=WAL");
  for (const auto& sql : like.schema)
    run(impl_->db, sql);
  impl_->begin();
}

raw_log::raw_log(const std::filesystem::path& store)
  : impl_(std::make_unique<impl>(store)) {
  impl_->begin();
}

raw_log::~raw_log() = default;

std::size_t raw_log::replay(const std::vector<raw_append>& appends,
                            std::size_t group) {
  std::size_t transactions = 0;
  for (std::size_t i = 0; i < appends.size(); i += group) {
    run(impl_->db, "BEGIN IMMEDIATE");
    const auto end = std::min(i + group, appends.size());
    for (std::size_t k = i; k < end; ++k)
      impl_->append->append(appends[k]);
    run(impl_->db, "COMMIT");
    ++transactions;
  }
  return transactions;
}

void raw_log::post(const std::string& run_id, const std::string& data) {
  auto& m = *impl_;
  if (!m.other) {
    m.other = open(m.file);
    run(m.other, settings);
    m.insert_message =
      prepare(m.other, "INSERT INTO inbox(run, data, at) VALUES(?,?,0)");
  }
  run(m.other, "BEGIN IMMEDIATE");
  set(m.insert_message, 1, run_id);
  set(m.insert_message, 2, data);
  step(m.other, m.insert_message);
  sqlite3_reset(m.insert_message.get());
  run(m.other, "COMMIT");
}

std::vector<raw_event> raw_log::read(const std::string& run_id) {
  auto& m = *impl_;
  set(m.last_event, 1, run_id);
  std::int64_t id =
    step(m.db, m.last_event) ? sqlite3_column_int64(m.last_event.get(), 0) : 0;
  sqlite3_reset(m.last_event.get());
  std::vector<raw_event> out;
  while (id != 0) {
    set(m.event, 1, id);
    step(m.db, m.event);
    auto* const row = m.event.get();
    out.push_back({sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                   text(m.event, 2), text(m.event, 3)});
    id = sqlite3_column_int64(row, 4); // 0 for NULL: there is no more.
    sqlite3_reset(row);
  }
  return out;
}

std::int64_t raw_log::last_event() {
  const auto last = prepare(impl_->db, "SELECT max(id) FROM events");
  step(impl_->db, last);
  return sqlite3_column_int64(last.get(), 0);
}

std::vector<std::string> raw_log::runs() {
  std::vector<std::string> out;
  const auto all = prepare(impl_->db, "SELECT id FROM runs ORDER BY id");
  while (step(impl_->db, all))
    out.push_back(text(all, 0));
  return out;
}

commit_counter::commit_counter() {
  commits = 0;
  sqlite3_auto_extension(watch_entry);
}

commit_counter::~commit_counter() {
  sqlite3_cancel_auto_extension(watch_entry);
}

std::size_t commit_counter::count() const {
  return commits;
}

} // namespace bench
