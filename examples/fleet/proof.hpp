#pragma once

#include <kestrion/kestrion.hpp>

#include <filesystem>
#include <vector>

/// All runs of the store, in the order of their starts.
std::vector<kestrion::run_row> all_runs(const kestrion::runtime& store);

/// Checks, from the store and the notes alone, that all is as if nobody had
/// been killed; says so line by line.
/// @returns Whether it is.
bool prove(const std::filesystem::path& folder, int cases);
