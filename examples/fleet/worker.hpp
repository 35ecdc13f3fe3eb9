#pragma once

#include <filesystem>

/// The process that gets killed: sees to it that all cases are closed, and
/// decides about what their runs ask. It may be killed at any time, and started
/// again; the store and the notes in `folder` are all that it needs.
void work(const std::filesystem::path& folder, int cases);

/// Where both processes find the store, and the notes.
std::string store_in(const std::filesystem::path& folder);
std::filesystem::path notes_in(const std::filesystem::path& folder);

/// The key with which the lead of a case is started: it is started once.
std::string key_of(int number);
