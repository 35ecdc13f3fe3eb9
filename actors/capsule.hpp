#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/run_id.hpp>
#include <kestrion/store/event_store.hpp>

#include <string>
#include <vector>

/// Runs as files: lines of JSON, each an object.
///
///     {"kestrion_capsule":1}
///     {"blob":"<hash>","base64":"..."}              each that a run names
///     {"run":"run_...","events":3,"head":"<hash>"}
///     {"seq":1,"at":1767312000000000,"type":"run_started","data":{...}}
///     ...                                           then the next run
///     {"end":1}                                     how many runs there were
namespace kestrion {

struct capsule_options {
  bool children = false; ///< With the runs below it, as far as they are there.
};

/// What was read from a file, and fits its hashes.
struct capsule {
  struct one_run {
    run_id id;
    std::vector<stored_event> events;
    std::string head;
  };
  std::vector<std::string> blobs; ///< Their bytes.
  std::vector<one_run> runs;
};

/// Writes runs to a file, which then is there as a whole and on disk, or not at
/// all; one that was there is replaced.
/// @par Errors `not_found`; `corrupt` for a log that does not fit its hashes;
///   `io`, naming the file
result<void> export_run(const event_store& store, const run_id& id,
                        const std::string& path,
                        const capsule_options& options);

/// @par Errors `io`; `unsupported` for a file that is no capsule, or one of a
///   newer version; `corrupt`, naming the line, for one that was changed or cut
result<capsule> read_capsule(const std::string& path);

/// Adds the runs to the store, under their ids. One that has not ended is
/// parked, for the store that it comes from may go on with it. One that is
/// there already, with the same log, stays as it is.
/// @returns Their ids, in the order of the file.
/// @par Errors `conflict` if a run is there with another log, or another run
/// has
///   its key; then none is added. `io`
result<std::vector<run_id>> import_runs(event_store& store, const capsule& from,
                                        timestamp now);

} // namespace kestrion
