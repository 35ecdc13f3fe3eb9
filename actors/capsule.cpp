#include <kestrion/actors/capsule.hpp>

#include <kestrion/actors/durable_file.hpp>
#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/messages/attachments.hpp>
#include <kestrion/messages/base64.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/log_chain.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <span>
#include <utility>

namespace kestrion {

namespace {

constexpr std::int64_t capsule_version = 1;
constexpr std::string_view data_mark = R"(,"data":)";

// -- writing ------------------------------------------------------------------

/// The run and, in the order of their ids, all below it.
result<std::vector<run_id>> with_children(const event_store& store,
                                          const run_id& id) {
  std::vector<run_id> out{id};
  for (std::size_t i = 0; i < out.size(); ++i) {
    run_query query;
    query.parent = out[i];
    for (bool is_last = false; !is_last;) {
      const auto rows = store.list(query);
      if (!rows)
        return rows.error();
      for (const auto& row : *rows)
        out.push_back(row.id);
      is_last = rows->size() < query.limit;
      if (!is_last)
        query.after = rows->back().id;
    }
  }
  return out;
}

template <class Parts>
void add_blobs(const Parts& parts, std::set<std::string>& out) {
  visit_attachments(parts, [&](const auto& x) {
    if (!x.blob.empty())
      out.insert(x.blob);
  });
}

/// What the events of a run name.
result<std::set<std::string>> blobs_of(const event_store& store,
                                       const run_id& id) {
  const auto events = load_events(store, id);
  if (!events)
    return events.error();
  std::set<std::string> out;
  for (const auto& e : *events)
    if (const auto* said = std::get_if<message_received>(&e.event))
      add_blobs(said->message.parts, out);
    else if (const auto* done = std::get_if<tool_call_completed>(&e.event);
             done && done->attachments)
      add_blobs(*done->attachments, out);
  return out;
}

result<void> write_blobs(durable_file& out, const event_store& store,
                         const std::vector<run_id>& runs) {
  std::set<std::string> all;
  for (const auto& id : runs) {
    auto named = blobs_of(store, id);
    if (!named)
      return named.error();
    all.merge(*named);
  }
  for (const auto& hash : all) {
    const auto bytes = store.get_blob(hash);
    if (!bytes && bytes.error().code == errc::not_found)
      continue; // The run named what was never there.
    if (!bytes)
      return bytes.error();
    out.write(R"({"blob":")" + hash + R"(","base64":")" + base64(*bytes)
              + "\"}\n");
  }
  return {};
}

result<void> write_run(durable_file& out, const event_store& store,
                       const run_id& id) {
  const auto checked = store.verify(id);
  if (!checked)
    return checked.error();
  if (checked->flaw)
    return error{errc::corrupt, "run " + id.str() + " can't be exported: event "
                                  + std::to_string(checked->flaw->seq) + " "
                                  + checked->flaw->why};
  const auto events = store.read(id, 0);
  if (!events)
    return events.error();
  const auto here = std::span{*events}.first(checked->events);
  out.write(R"({"run":")" + id.str() + R"(","events":)"
            + std::to_string(here.size()) + R"(,"head":")" + checked->head
            + "\"}\n");
  for (const auto& e : here)
    out.write(R"({"seq":)" + std::to_string(e.seq) + R"(,"at":)"
              + std::to_string(e.at.time_since_epoch().count()) + R"(,"type":")"
              + e.type + '"' + std::string{data_mark} + e.data + "}\n");
  return {};
}

// -- reading ------------------------------------------------------------------

/// Reads line after line; every complaint names its line.
class capsule_reader {
public:
  explicit capsule_reader(std::string path) : path_(std::move(path)) {}

  result<capsule> read() {
    std::ifstream in{path_, std::ios::binary};
    if (!in)
      return error{errc::io, "the capsule \"" + path_ + "\" can't be opened"};
    std::string line;
    bool is_over = false;
    while (std::getline(in, line)) {
      ++number_;
      if (is_over)
        return bad("follows the last one");
      if (auto ok = take(line, is_over); !ok)
        return ok.error();
    }
    if (in.bad())
      return error{errc::io, "the capsule \"" + path_ + "\" can't be read"};
    if (number_ == 0)
      return foreign("it is empty");
    if (!is_over)
      return error{errc::corrupt,
                   "the capsule \"" + path_ + "\" ends after line "
                     + std::to_string(number_) + "; its last line is missing"};
    return std::move(out_);
  }

private:
  error bad(const std::string& why) const {
    return {errc::corrupt, "the capsule \"" + path_ + "\", line "
                             + std::to_string(number_) + ": " + why};
  }

  error foreign(const std::string& why) const {
    return {errc::unsupported,
            "\"" + path_ + "\" is no capsule of Kestrion: " + why};
  }

  result<void> take(const std::string& line, bool& is_over) {
    const auto json = parse_json(line, "it");
    const auto* object = json ? json->if_object() : nullptr;
    if (number_ == 1)
      return object ? take_version(*object) : foreign("it does not begin so");
    if (!object)
      return bad(json ? "is no object" : json.error().detail);
    if (object->contains("blob"))
      return take_blob(*object);
    if (object->contains("run"))
      return take_run(*object);
    if (object->contains("seq"))
      return take_event(*object, line);
    if (!object->contains("end"))
      return bad("is neither a blob, a run, an event nor the end");
    is_over = true;
    if (auto ok = end_run(); !ok)
      return ok;
    if (number(*object, "end") != std::ssize(out_.runs))
      return bad("counts other runs than there are");
    return {};
  }

  result<void> take_version(const boost::json::object& line) {
    const auto version = number(line, "kestrion_capsule");
    if (!version)
      return foreign("it does not begin so");
    if (*version > capsule_version)
      return error{errc::unsupported,
                   "the capsule \"" + path_ + "\" has version "
                     + std::to_string(*version) + "; this program knows up to "
                     + std::to_string(capsule_version)};
    return {};
  }

  result<void> take_blob(const boost::json::object& line) {
    auto bytes = from_base64(text(line, "base64"));
    if (!bytes || sha256_hex(*bytes) != text(line, "blob"))
      return bad("the blob has other bytes than its hash says");
    out_.blobs.push_back(std::move(*bytes));
    return {};
  }

  result<void> take_run(const boost::json::object& line) {
    if (auto ok = end_run(); !ok)
      return ok;
    const auto id = run_id::parse(text(line, "run"));
    if (!id)
      return bad(id.error().detail);
    const auto events = number(line, "events");
    if (!events || *events < 1)
      return bad("the run has no events; expected at least one");
    expected_ = *events;
    out_.runs.push_back({*id, {}, text(line, "head")});
    hash_ = chain_.start(*id);
    return {};
  }

  result<void> take_event(const boost::json::object& object,
                          const std::string& line) {
    if (out_.runs.empty())
      return bad("the event is of no run");
    auto& run = out_.runs.back();
    const auto data = line.find(data_mark);
    const auto at = number(object, "at");
    const auto seq = std::ssize(run.events) + 1;
    if (number(object, "seq") != seq || !at || data == std::string::npos)
      return bad("expected event " + std::to_string(seq) + " of "
                 + run.id.str());
    stored_event e;
    e.seq = static_cast<std::uint64_t>(seq);
    e.at = timestamp{duration{*at}};
    e.type = text(object, "type");
    e.data = line.substr(data + data_mark.size(),
                         line.size() - data - data_mark.size() - 1);
    if (auto known = decode_event(e.type, e.data); !known)
      return bad(known.error().detail);
    hash_ = e.hash = chain_.next(hash_, e.seq, e.at, e.type, e.data);
    run.events.push_back(std::move(e));
    return {};
  }

  /// Before the next run, and at the end.
  result<void> end_run() const {
    if (out_.runs.empty())
      return {};
    const auto& run = out_.runs.back();
    if (std::ssize(run.events) != expected_)
      return bad("run " + run.id.str() + " has "
                 + std::to_string(run.events.size())
                 + " events before it; expected " + std::to_string(expected_));
    if (to_hex(hash_) != run.head)
      return bad("run " + run.id.str()
                 + ", before it, does not fit its hash: an event was changed");
    return {};
  }

  static std::optional<std::int64_t> number(const boost::json::object& line,
                                            std::string_view member) {
    const auto* found = line.if_contains(member);
    const auto* value = found ? found->if_int64() : nullptr;
    return value ? std::optional{*value} : std::nullopt;
  }

  static std::string text(const boost::json::object& line,
                          std::string_view member) {
    const auto* found = line.if_contains(member);
    const auto* value = found ? found->if_string() : nullptr;
    return value ? std::string{*value} : std::string{};
  }

  std::string path_;
  std::size_t number_ = 0; ///< Of the line.
  capsule out_;
  std::int64_t expected_ = 0; ///< Events of the run that is being read.
  log_chain chain_;
  sha256_digest hash_{};
};

// -- importing ----------------------------------------------------------------

/// @par Errors `corrupt` for a log that does not begin as one
result<append_request> append_of(const capsule::one_run& from, timestamp now) {
  append_request out;
  out.run = from.id;
  run_state state;
  for (const auto& e : from.events) {
    auto decoded = decode_event(e.type, e.data);
    if (!decoded)
      return decoded.error();
    out.events.push_back({e.at, tag_of(*decoded), e.data});
    state = fold(std::move(state), {e.seq, e.at, std::move(*decoded)});
  }
  if (state.header->agent.empty())
    return error{errc::corrupt,
                 "run " + from.id.str() + " does not begin with run_started"};
  auto& p = state.progress;
  if (!is_terminal(p.status) && !p.parked) {
    event parked = run_parked{"imported; the store that it comes from may go "
                              "on with it"};
    out.events.push_back(encode(parked, now));
    state = fold(std::move(state), {p.seq + 1, now, std::move(parked)});
  }
  out.status = state.progress.status;
  out.created.emplace();
  out.created->agent = state.header->agent;
  out.created->parent = state.header->parent;
  out.created->tenant = state.header->tenant;
  out.created->key = state.header->key;
  return out;
}

/// Whether the run is there already.
/// @par Errors `conflict` if its log is another; `io`, `corrupt`
result<bool> is_there(const event_store& store, const capsule::one_run& run) {
  const auto row = store.find(run.id);
  if (!row)
    return row.error();
  if (!*row)
    return false;
  const auto events = store.read(run.id, 0);
  if (!events)
    return events.error();
  if (events->size() < run.events.size()
      || events->at(run.events.size() - 1).hash != run.events.back().hash)
    return error{errc::conflict,
                 "run " + run.id.str() + " is in this store with another log"};
  return true;
}

/// @par Errors `conflict` if another run has the key; `io`, `corrupt`
result<void> check_key(const event_store& store, const run_row& row) {
  if (!row.key)
    return {};
  const auto taken = store.find_by_key(row.agent, *row.key);
  if (!taken)
    return taken.error();
  if (*taken)
    return key_conflict(row.agent, *row.key, (*taken)->id);
  return {};
}

} // namespace

result<void> export_run(const event_store& store, const run_id& id,
                        const std::string& path,
                        const capsule_options& options) {
  if (auto found = find_row(store, id); !found)
    return found.error();
  const auto runs = options.children
                      ? with_children(store, id)
                      : result<std::vector<run_id>>{std::vector{id}};
  if (!runs)
    return runs.error();
  durable_file out{path};
  out.write(R"({"kestrion_capsule":)" + std::to_string(capsule_version)
            + "}\n");
  if (auto ok = write_blobs(out, store, *runs); !ok)
    return ok;
  for (const auto& each : *runs)
    if (auto ok = write_run(out, store, each); !ok)
      return ok;
  out.write(R"({"end":)" + std::to_string(runs->size()) + "}\n");
  return out.commit();
}

result<capsule> read_capsule(const std::string& path) {
  return capsule_reader{path}.read();
}

result<std::vector<run_id>> import_runs(event_store& store, const capsule& from,
                                        timestamp now) {
  std::vector<run_id> out;
  std::vector<append_request> appends;
  for (const auto& run : from.runs) {
    out.push_back(run.id);
    const auto known = is_there(store, run);
    if (!known)
      return known.error();
    if (*known)
      continue;
    auto append = append_of(run, now);
    if (!append)
      return append.error();
    if (auto ok = check_key(store, *append->created); !ok)
      return ok.error();
    appends.push_back(std::move(*append));
  }
  for (const auto& bytes : from.blobs)
    if (auto ok = store.put_blob(bytes); !ok)
      return ok.error();
  for (const auto& done : store.append(appends))
    if (!done)
      return done.error();
  return out;
}

} // namespace kestrion
