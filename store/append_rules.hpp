#pragma once

#include <cstdint>
#include <string_view>

#include <kestrion/store/event_store.hpp>

/// What every implementation of the port holds to, in the same words.
namespace kestrion {

/// The most that one event may hold.
inline constexpr std::size_t event_bytes_max = 64ULL << 20U;

/// Refuses a request that no store could carry out.
/// @par Errors `invalid_argument`: no run, no events, `created` missing with
///   the first append or given with a later one, or of another run.
///   `limit_exceeded`: data of more than `event_bytes_max`.
result<void> check_append(const append_request& request);

/// The row of a new run, from its first append.
run_row first_row(const append_request& request);

/// @param actual  Length of the log; 0 if there is no such run.
error seq_conflict(const run_id& run, std::uint64_t expected,
                   std::uint64_t actual);

error key_conflict(std::string_view agent, std::string_view key,
                   const run_id& taken_by);

error no_run(const run_id& run);

/// A run that ended takes no more messages.
error run_ended(const run_id& run, run_status status);

error no_post(std::uint64_t id);

/// The message that an append wanted to answer is gone or was answered.
error post_conflict(const run_id& run, std::uint64_t id);

error no_blob(std::string_view hash);

} // namespace kestrion
