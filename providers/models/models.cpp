#include <kestrion/providers/models/models.hpp>

#include <kestrion/messages/digest.hpp>
#include <kestrion/providers/http/url.hpp>
#include <kestrion/providers/models/anthropic_wire.hpp>
#include <kestrion/providers/models/ollama_wire.hpp>
#include <kestrion/providers/models/openai_wire.hpp>
#include <kestrion/providers/models/remote_model.hpp>
#include <kestrion/providers/models/responses_wire.hpp>

#include <algorithm>
#include <cstdlib>

namespace kestrion {

namespace {

constexpr auto openai_url = "https://api.openai.com/v1";

std::string trimmed(std::string text) {
  constexpr auto blanks = " \t\r\n";
  text.erase(0, text.find_first_not_of(blanks));
  text.erase(text.find_last_not_of(blanks) + 1);
  return text;
}

/// The option, else the variable, else the default; without blanks around it.
std::string setting(std::string given, const char* variable,
                    std::string_view otherwise = {}) {
  given = trimmed(std::move(given));
  if (given.empty())
    if (const char* set =
          std::getenv(variable)) // NOLINT(concurrency-mt-unsafe)
      given = trimmed(set);
  return given.empty() ? std::string{otherwise} : given;
}

std::string base_setting(std::string given, const char* variable,
                         std::string_view otherwise) {
  auto base = setting(std::move(given), variable, otherwise);
  while (base.ends_with('/'))
    base.pop_back();
  return base;
}

/// Why a model could not be called. A key is never quoted.
std::optional<error> problem_of(const remote_parts& parts,
                                const std::string& key, bool needs_key,
                                const std::string& variable) {
  if (parts.name.empty())
    return error{errc::invalid_argument, "a model has an empty name"};
  if (const auto url = parse_http_url(parts.url); !url)
    return error{errc::invalid_argument, "the base URL of model " + parts.name
                                           + ": " + url.error().detail};
  const bool is_real = !parts.http || parts.http->is_real();
  if (key.empty() && needs_key && is_real)
    return error{errc::unauthenticated,
                 "there is no key for model " + parts.name
                   + ": set the environment variable " + variable
                   + " or the option api_key"};
  if (!std::all_of(key.begin(), key.end(),
                   [](char c) { return c > ' ' && c < 0x7f; }))
    return error{errc::unauthenticated,
                 "the key for model " + parts.name + " (" + variable
                   + " or api_key) holds a character that no key has"};
  return std::nullopt;
}

/// Different for each key, without giving it away.
std::string name_of_key(const std::string& key) {
  constexpr std::size_t digits = 8;
  return key.empty() ? "" : sha256_hex("kestrion " + key).substr(0, digits);
}

remote_parts parts_of(const std::string& model, std::string url,
                      const http_headers& headers,
                      const http_transport_ptr& http,
                      const price_table& prices) {
  remote_parts parts;
  parts.name = model;
  parts.url = std::move(url);
  parts.headers = {{"Content-Type", "application/json"},
                   {"Accept", "application/json"}};
  parts.headers.insert(parts.headers.end(), headers.begin(), headers.end());
  parts.http = http;
  parts.prices = prices;
  return parts;
}

/// OLLAMA_HOST may lack the scheme, the host or the port.
std::string ollama_url(std::string host) {
  if (host.find("://") != std::string::npos)
    return host;
  if (host.starts_with(':'))
    host.insert(0, "127.0.0.1");
  const auto after_address = host.rfind(']');
  const auto colon =
    host.find(':', after_address == std::string::npos ? 0 : after_address);
  if (colon == std::string::npos)
    host += ":11434";
  return "http://" + host;
}

} // namespace

model_ptr anthropic(anthropic_options options) {
  options.base_url = base_setting(options.base_url, "ANTHROPIC_BASE_URL",
                                  "https://api.anthropic.com");
  options.api_key = setting(options.api_key, "ANTHROPIC_API_KEY");
  auto parts = parts_of(options.model, options.base_url + "/v1/messages",
                        options.headers, options.http, options.prices);
  parts.context_window =
    options.capabilities.find(vendor::anthropic, options.model).context_window;
  parts.endpoint = {"anthropic", name_of_key(options.api_key), options.cache};
  parts.headers.push_back({"anthropic-version", options.version});
  parts.headers.push_back({"x-api-key", options.api_key});
  parts.unusable =
    problem_of(parts, options.api_key, true, "ANTHROPIC_API_KEY");
  parts.to_wire = [options](const model_request& request, delivery wanted) {
    return anthropic_wire::to_wire(request, options, wanted);
  };
  parts.from_wire = [options](const http_response& answer, timestamp now) {
    return anthropic_wire::from_wire(answer, options, now);
  };
  parts.streams = options.stream;
  parts.decoder = [options](http_response head, timestamp now) {
    return anthropic_wire::decoder(options, std::move(head), now);
  };
  return remote_model(std::move(parts));
}

namespace {

/// What both of OpenAI's APIs have in common.
template <class Options>
remote_parts openai_parts(Options& options, std::string_view path) {
  options.base_url =
    base_setting(options.base_url, "OPENAI_BASE_URL", openai_url);
  options.api_key = setting(options.api_key, "OPENAI_API_KEY");
  auto parts = parts_of(options.model, options.base_url + std::string{path},
                        options.headers, options.http, options.prices);
  parts.context_window =
    options.capabilities.find(vendor::openai, options.model).context_window;
  parts.endpoint = {options.provider, name_of_key(options.api_key),
                    options.base_url == openai_url};
  if (!options.api_key.empty())
    parts.headers.push_back({"Authorization", "Bearer " + options.api_key});
  parts.unusable = problem_of(parts, options.api_key,
                              options.base_url == openai_url, "OPENAI_API_KEY");
  parts.streams = options.stream;
  return parts;
}

} // namespace

model_ptr openai(openai_options options) {
  auto parts = openai_parts(options, "/chat/completions");
  parts.to_wire = [options](const model_request& request, delivery wanted) {
    return openai_wire::to_wire(request, options, wanted);
  };
  parts.from_wire = [options](const http_response& answer, timestamp now) {
    return openai_wire::from_wire(answer, options, now);
  };
  parts.decoder = [options](http_response head, timestamp now) {
    return openai_wire::decoder(options, std::move(head), now);
  };
  return remote_model(std::move(parts));
}

model_ptr openai_responses(openai_responses_options options) {
  auto parts = openai_parts(options, "/responses");
  parts.to_wire = [options](const model_request& request, delivery wanted) {
    return responses_wire::to_wire(request, options, wanted);
  };
  parts.from_wire = [options](const http_response& answer, timestamp now) {
    return responses_wire::from_wire(answer, options, now);
  };
  parts.decoder = [options](http_response head, timestamp now) {
    return responses_wire::decoder(options, std::move(head), now);
  };
  return remote_model(std::move(parts));
}

model_ptr ollama(ollama_options options) {
  options.base_url = ollama_url(
    base_setting(options.base_url, "OLLAMA_HOST", "http://localhost:11434"));
  auto parts = parts_of(options.model, options.base_url + "/api/chat",
                        options.headers, options.http, options.prices);
  parts.endpoint.provider = "ollama";
  parts.context_window =
    options.num_ctx
      ? options.num_ctx
      : options.capabilities.find(vendor::ollama, options.model).context_window;
  parts.price_if_unknown = model_price{};
  parts.unusable = problem_of(parts, {}, false, {});
  parts.to_wire = [options](const model_request& request, delivery wanted) {
    return ollama_wire::to_wire(request, options, wanted);
  };
  parts.from_wire = [options](const http_response& answer, timestamp now) {
    return ollama_wire::from_wire(answer, options, now);
  };
  parts.streams = options.stream;
  parts.frames = framing::lines;
  parts.decoder = [options](http_response head, timestamp now) {
    return ollama_wire::decoder(options, std::move(head), now);
  };
  return remote_model(std::move(parts));
}

} // namespace kestrion
