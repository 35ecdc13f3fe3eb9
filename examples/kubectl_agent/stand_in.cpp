#include "stand_in.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

constexpr int replicas_wanted = 3;

/// The number behind "replicas: "; 0 if there is none.
int replicas_in(const std::string& manifest) {
  const std::string key = "replicas: ";
  const auto at = manifest.find(key);
  return at == std::string::npos ? 0 : std::atoi(&manifest[at + key.size()]);
}

} // namespace

examples::vendor_turn stand_in(const examples::vendor_request& request) {
  // Models take their time; this is a short one.
  std::this_thread::sleep_for(std::chrono::milliseconds{400});
  if (request.tool_results == 0)
    return {.text = "I read the manifest first.",
            .tools = {{"get_manifest"}},
            .input_tokens = 412,
            .output_tokens = 38};
  const auto& last = request.last_tool_results.empty()
                       ? std::string{}
                       : request.last_tool_results.back();
  if (request.tool_results > 1)
    return {.text = "checkout-api is scaled: " + last + ".",
            .input_tokens = 878,
            .output_tokens = 24};
  const auto now = replicas_in(last);
  if (now >= replicas_wanted)
    return {.text = "checkout-api has " + std::to_string(now)
                    + " replicas; there is nothing to do.",
            .input_tokens = 760,
            .output_tokens = 21};
  return {.text = "It has " + std::to_string(now) + " replicas, fewer than "
                  + std::to_string(replicas_wanted) + ": one more.",
          .tools = {{"scale_deployment",
                     R"({"replicas":)" + std::to_string(now + 1) + "}"}},
          .input_tokens = 760,
          .output_tokens = 57};
}
