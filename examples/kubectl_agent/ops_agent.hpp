#pragma once

#include <kestrion/kestrion.hpp>

#include <filesystem>

/// What an operator's helper may do: read the manifest at will, scale it once
/// an engineer agrees.
/// @param work  Holds checkout-api.yaml and gets edits.log.
kestrion::agent ops_agent(const std::filesystem::path& work);
