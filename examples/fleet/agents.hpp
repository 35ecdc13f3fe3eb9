#pragma once

#include "notes.hpp"

#include <kestrion/kestrion.hpp>

#include <string>
#include <vector>

/// The agents of the fleet. Their models are functions, so nothing but the
/// runtime and the store takes time.

/// Has two or three scouts look at its case, then publishes what they say,
/// which an editor has to approve.
kestrion::agent lead_agent(const notes& world);

/// Measures, which may happen again, and reports, which may not.
kestrion::agent scout_agent(const notes& world);

/// What the lead of case `number` is asked.
std::string prompt_of(int number);

/// What it has to have said in the end.
std::string answer_of(int number);

/// The calls with which it starts its scouts.
std::vector<std::string> scout_calls_of(int number);

/// Leads and scouts of so many cases.
int runs_of(int cases);

/// The call with which it publishes.
std::string publish_call_of(int number);

/// The calls of every scout.
inline constexpr const char* measure_call = "c1.0";
inline constexpr const char* report_call = "c1.1";

/// What a tool that ran has answered.
std::string result_of(const std::string& tool);
