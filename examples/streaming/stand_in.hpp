#pragma once

#include "vendor_server.hpp"

/// What a poet would say, word by word, for those without a key.
inline examples::vendor_turn stand_in(const examples::vendor_request& request) {
  constexpr std::chrono::milliseconds pace{40};
  if (request.tool_results == 0)
    return {.text = "I look what the wind does.",
            .tools = {{"wind", R"({"place":"the cliff"})"}},
            .pace = pace};
  return {.text = "She hangs upon the wind, and does not fall;\n"
                  "the field below her does not move at all.",
          .pace = pace};
}
