#include <kestrion/store/append_rules.hpp>

namespace kestrion {

result<void> check_append(const append_request& request) {
  const auto bad = [&](std::string_view what) {
    return error{errc::invalid_argument,
                 "append to " + request.run.str() + ": " + std::string{what}};
  };
  if (!request.run)
    return error{errc::invalid_argument, "append: the run id is empty"};
  if (request.events.empty())
    return bad("there are no events; expected at least one");
  if (request.expected_seq == 0 && !request.created)
    return bad("the first append has no row of the run; expected one");
  if (request.expected_seq != 0 && request.created)
    return bad("a row of the run comes with the first append only");
  for (const auto& e : request.events)
    if (e.data.size() > event_bytes_max)
      return error{
        errc::limit_exceeded,
        "append to " + request.run.str() + ": the data of \""
          + std::string{e.type} + "\" has " + std::to_string(e.data.size())
          + " bytes; expected at most " + std::to_string(event_bytes_max)};
  if (request.created && request.created->id
      && request.created->id != request.run)
    return bad("the row is that of " + request.created->id.str());
  return {};
}

run_row first_row(const append_request& request) {
  run_row row = *request.created;
  row.id = request.run;
  row.status = request.status;
  row.last_seq = request.events.size();
  row.created_at = request.events.front().at;
  row.updated_at = request.events.back().at;
  row.wake_at = request.wake_at;
  return row;
}

error seq_conflict(const run_id& run, std::uint64_t expected,
                   std::uint64_t actual) {
  if (actual == 0)
    return {errc::conflict, "there is no " + run.str() + "; expected a log of "
                              + std::to_string(expected) + " events"};
  return {errc::conflict, "the log of " + run.str() + " has "
                            + std::to_string(actual) + " events; expected "
                            + std::to_string(expected)};
}

error key_conflict(std::string_view agent, std::string_view key,
                   const run_id& taken_by) {
  return {errc::conflict, "the key \"" + std::string{key} + "\" of agent \""
                            + std::string{agent} + "\" is taken by "
                            + taken_by.str()};
}

error no_run(const run_id& run) {
  return {errc::not_found, "there is no " + run.str()};
}

error run_ended(const run_id& run, run_status status) {
  return {errc::refused, run.str() + " is " + std::string{to_string(status)}
                           + "; expected a run that has not ended"};
}

error no_post(std::uint64_t id) {
  return {errc::not_found,
          "there is no message " + std::to_string(id) + " in any inbox"};
}

error post_conflict(const run_id& run, std::uint64_t id) {
  return {errc::conflict, "append to " + run.str() + ": the message "
                            + std::to_string(id)
                            + " that it answers was taken back or answered"};
}

error no_blob(std::string_view hash) {
  return {errc::not_found,
          "there is no blob \"" + std::string{hash.substr(0, 64)} + "\""};
}

} // namespace kestrion
