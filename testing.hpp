#pragma once

/// For the tests of programs whose agents are under test. Needs no test
/// framework: what it checks throws `kestrion::failure` or is a report.

#include <kestrion/actors/crash_everywhere.hpp>
#include <kestrion/providers/models/cassette.hpp>
#include <kestrion/providers/models/forbid.hpp>
#include <kestrion/providers/models/scripted.hpp>
