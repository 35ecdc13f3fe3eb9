#pragma once

#include <kestrion/actors/protocol.hpp>

#include <string>

/// What a message in the inbox is answered: a receipt or a refusal, as JSON.
namespace kestrion {

std::string answer_of(const result<run_receipt>& outcome);

/// Inverse of `answer_of`. @par Errors The refusal; `corrupt` if it is neither.
result<run_receipt> outcome_in(const run_id& run, const std::string& answer);

} // namespace kestrion
