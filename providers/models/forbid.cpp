#include <kestrion/providers/models/forbid.hpp>

#include <atomic>
#include <cstdlib>
#include <string_view>

namespace kestrion {

namespace {

std::atomic<int> bans{0};

bool environment_forbids() {
  const char* set = std::getenv( // NOLINT(concurrency-mt-unsafe)
    "KESTRION_FORBID_MODEL_CALLS");
  return set && std::string_view{set} == "1";
}

} // namespace

model_call_ban::model_call_ban() {
  ++bans;
}

model_call_ban::~model_call_ban() {
  if (holds_)
    --bans;
}

bool model_calls_forbidden() {
  static const bool always = environment_forbids();
  return always || bans != 0;
}

} // namespace kestrion
