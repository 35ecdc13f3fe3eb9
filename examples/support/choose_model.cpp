#include "choose_model.hpp"

#include <cstdlib>

namespace examples {

namespace {

namespace k = kestrion;

std::string variable(const char* name, std::string otherwise = {}) {
  const char* value = std::getenv(name);
  return value && *value ? value : std::move(otherwise);
}

/// A server and the model that speaks to it live and die together.
struct stand_in_model {
  vendor_server server;
  k::model_ptr model;

  explicit stand_in_model(vendor_server::script answer)
    : server(std::move(answer)),
      model(k::anthropic({.model = "claude-sonnet-4-6",
                          .base_url = server.url(),
                          .api_key = "none"})) {}
};

} // namespace

k::model_ptr choose_model(vendor_server::script stand_in) {
  const auto model = [](std::string otherwise) {
    return variable("KESTRION_MODEL", std::move(otherwise));
  };
  if (!variable("ANTHROPIC_API_KEY").empty())
    return k::anthropic(model("claude-sonnet-4-6"));
  if (!variable("OPENAI_API_KEY").empty())
    return k::openai(model("gpt-5-mini"));
  if (const auto name = variable("OLLAMA_MODEL"); !name.empty())
    return k::ollama(model(name));
  auto both = std::make_shared<stand_in_model>(std::move(stand_in));
  return {both, both->model.get()};
}

} // namespace examples
