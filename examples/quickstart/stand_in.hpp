#pragma once

#include "vendor_server.hpp"

/// What a sensible model would say to the quickstart, for those without a key:
/// it follows from the results of the tools so far.
inline examples::vendor_turn stand_in(const examples::vendor_request& request) {
  switch (request.tool_results) {
    case 0:
      return {.text = "I look at the cluster first.",
              .tools = {{"get_cluster_state"}}};
    case 1:
      return {.text = "2 are under 3: one more.",
              .tools = {{"apply_manifest", R"({"yaml":"kind: Deployment\n)"
                                           R"(metadata: {name: checkout-api}\n)"
                                           R"(spec: {replicas: 3}\n"})"}}};
    default: return {.text = "checkout-api now has 3 replicas."};
  }
}
