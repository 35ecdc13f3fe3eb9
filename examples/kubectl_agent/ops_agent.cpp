#include "ops_agent.hpp"

#include "choose_model.hpp"
#include "manifest_file.hpp"
#include "stand_in.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace {

namespace k = kestrion;

struct scale_request {
  int replicas = 0;
};
BOOST_DESCRIBE_STRUCT(scale_request, (), (replicas))

/// For demonstrations: the edit is made, and before anybody could write that
/// down this process waits to be killed.
void hold_if_asked() {
  if (!std::getenv("HOLD_AFTER_EDIT"))
    return;
  std::cout << "holding: the edit is made, its result is not recorded"
            << std::endl;
  for (;;)
    ::pause();
}

} // namespace

k::agent ops_agent(const std::filesystem::path& work) {
  const auto manifest = std::make_shared<manifest_file>(
    work / "checkout-api.yaml", work / "edits.log");

  const auto scale = [manifest](const scale_request& wanted,
                                const k::tool_context& call) {
    if (wanted.replicas < 1 || wanted.replicas > 20)
      throw std::runtime_error("replicas has to be from 1 to 20");
    // The key goes into the file in the same step as the change.
    auto what = manifest->scale(wanted.replicas, call.idempotency_key);
    hold_if_asked();
    return what;
  };

  // Asked when a process died during `scale`: did it happen?
  const auto has_happened =
    [manifest](const scale_request& wanted,
               const k::tool_context& call) -> std::optional<std::string> {
    if (manifest->change_cause() != call.idempotency_key)
      return std::nullopt;
    return "set to " + std::to_string(wanted.replicas)
           + " by this very call, before the crash";
  };

  return k::agent("ops")
    .model(examples::choose_model(stand_in))
    .system("You look after the deployment checkout-api, which has to run at "
            "least 3 replicas. Read its manifest before you change it; make "
            "the smallest change that is needed; answer in one sentence.")
    .tool(
      "get_manifest", "Reads the deployment's manifest as YAML.",
      [manifest] { return manifest->text(); }, k::effect_contract::pure)
    .tool("scale_deployment",
          "Sets the number of replicas in the manifest, 1 to 20.", scale,
          k::requires_approval("engineer"), k::probe_with{has_happened});
}
