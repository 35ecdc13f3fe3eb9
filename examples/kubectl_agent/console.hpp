#pragma once

#include <kestrion/kestrion.hpp>

/// Prints each event as it happens, until the run rests: it ended, or waits
/// for somebody.
/// @param seen_seq  Events up to this one are not news.
kestrion::run_result follow(const kestrion::runtime& rt,
                            const kestrion::run& run,
                            std::uint64_t seen_seq = 0);

/// Each run of the store, and what it waits for.
void print_status(const kestrion::runtime& rt);

/// "status: …" and why, or the answer.
void print_result(const kestrion::run_result& result);
