#pragma once

#include "vendor_server.hpp"

/// What a sensible model would do about an alert, for those without a key.
inline examples::vendor_turn stand_in(const examples::vendor_request& request) {
  if (request.system.starts_with("You greet"))
    return {.text = "Good morning. 3 alerts at night; 2 restarts."};
  const auto& alert = request.last_user_text; // "orders-db: the disk is full"
  const auto about =
    R"({"service":")" + alert.substr(0, alert.find(':')) + R"("})";
  switch (request.tool_results) {
    case 0: return {.tools = {{"read_logs", about}}};
    case 1: return {.tools = {{"restart", about}}};
    default: return {.text = request.last_tool_results.back()};
  }
}
