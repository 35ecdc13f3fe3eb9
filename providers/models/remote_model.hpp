#pragma once

#include <kestrion/providers/http/client.hpp>
#include <kestrion/providers/models/model.hpp>
#include <kestrion/providers/models/prices.hpp>
#include <kestrion/providers/models/stream_decoder.hpp>
#include <kestrion/providers/models/wire_json.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace kestrion {

/// All that one vendor's model is, as far as an attempt has to know.
struct remote_parts {
  std::string name;
  model_endpoint endpoint;
  std::string url;
  http_headers headers; ///< The key among them.
  http_transport_ptr http;
  price_table prices;
  std::optional<model_price> price_if_unknown = {};
  std::optional<std::int64_t> context_window = {};
  std::optional<error> unusable = {}; ///< What every call ends with.
  std::function<result<std::string>(const model_request&, delivery)> to_wire;
  std::function<model_outcome(const http_response&, timestamp)> from_wire;
  bool streams = true; ///< Drafts come from a streamed answer.
  framing frames = framing::server_sent_events;
  std::function<std::unique_ptr<stream_decoder>(http_response, timestamp)>
    decoder;
};

/// A vendor's pure functions over the HTTP client.
model_ptr remote_model(remote_parts parts);

} // namespace kestrion
