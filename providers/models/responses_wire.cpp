#include <kestrion/providers/models/responses_wire.hpp>

#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/attachments.hpp>
#include <kestrion/providers/models/capabilities.hpp>
#include <kestrion/providers/models/output_request.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace kestrion::responses_wire {

namespace json = boost::json;

namespace {

/// So says the API's schema.
constexpr std::size_t call_id_bytes_max = 64;

std::string wire_id(const std::string& vendor_id, const std::string& ours) {
  return wire_call_id(vendor_id, ours, call_id_bytes_max);
}

json::object text_item(const std::string& text) {
  return {{"type", "input_text"}, {"text", text}};
}

result<json::object> item_of(const text_part& x) {
  return text_item(x.text);
}

result<json::object> item_of(const image_part& x) {
  if (x.url.empty())
    return not_read_yet("openai");
  return json::object{
    {"type", "input_image"}, {"image_url", x.url}, {"detail", "auto"}};
}

result<json::object> item_of(const document_part& x) {
  if (x.url.empty())
    return not_read_yet("openai");
  if (is_plain_text(x)) {
    const auto words = as_words(x, "openai");
    return words ? result<json::object>{text_item(*words)} : words.error();
  }
  if (!data_in(x.url))
    return json::object{{"type", "input_file"}, {"file_url", x.url}};
  return json::object{{"type", "input_file"},
                      {"filename", file_name_of(x)},
                      {"file_data", x.url}};
}

/// Writes the items of one message after the other, in the order of its parts.
class item_writer {
public:
  item_writer(json::array& items, std::string vendor)
    : items_(items), vendor_(std::move(vendor)) {}

  result<void> add(const message& m) {
    speaker_ = m.role == role::assistant ? "assistant" : "user";
    for (const auto& p : m.parts)
      if (auto ok = add(p); !ok)
        return ok;
    end_message();
    return {};
  }

private:
  result<void> add(const part& p) {
    return match(
      p,
      [&](const text_part& x) -> result<void> {
        text_ += x.text;
        return {};
      },
      [&](const image_part& x) { return add_file(item_of(x)); },
      [&](const document_part& x) { return add_file(item_of(x)); },
      [&](const reasoning_part& x) { return add_raw(x.vendor, x.raw); },
      [&](const opaque_part& x) { return add_raw(x.vendor, x.raw); },
      [&](const tool_call_part& x) -> result<void> {
        end_message();
        items_.push_back({{"type", "function_call"},
                          {"call_id", wire_id(x.vendor_id, x.id)},
                          {"name", x.name},
                          {"arguments", x.arguments}});
        return {};
      },
      [&](const tool_result_part& x) { return add_result(x); });
  }

  result<void> add_file(result<json::object> item) {
    if (!item)
      return item.error();
    files_.push_back(std::move(*item));
    return {};
  }

  result<void> add_result(const tool_result_part& x) {
    json::value output(x.content);
    if (x.attachments) {
      json::array list;
      if (!x.content.empty())
        list.push_back(text_item(x.content));
      for (const auto& each : *x.attachments) {
        auto item = match(each, [](const auto& one) { return item_of(one); });
        if (!item)
          return item.error();
        list.push_back(std::move(*item));
      }
      output = std::move(list);
    }
    end_message();
    items_.push_back({{"type", "function_call_output"},
                      {"call_id", wire_id(x.vendor_id, x.call)},
                      {"output", std::move(output)}});
    return {};
  }

  result<void> add_raw(const std::string& vendor, const std::string& raw) {
    if (vendor != vendor_)
      return {}; // Only its maker can read it.
    auto item = stored_json(raw, "a stored item of openai");
    if (!item)
      return item.error();
    end_message();
    if (!member_of(*item, "type")) // Of the message that follows.
      phase_ = string_of(*item, "phase");
    else if (can_be_read_back(*item))
      items_.push_back(std::move(*item));
    return {};
  }

  /// A reasoning item is stored nowhere: without content there is nothing in
  /// it but an id that the vendor does not know.
  static bool can_be_read_back(const json::value& item) {
    return string_of(item, "type") != "reasoning"
           || member_of(item, "encrypted_content")
           || member_of(item, "content");
  }

  void end_message() {
    if (text_.empty() && files_.empty())
      return;
    json::object out{{"role", speaker_}};
    if (files_.empty()) {
      out["content"] = text_;
    } else {
      json::array content;
      if (!text_.empty())
        content.push_back(text_item(text_));
      for (auto& file : files_)
        content.push_back(std::move(file));
      out["content"] = std::move(content);
    }
    if (!phase_.empty())
      out["phase"] = phase_;
    items_.push_back(std::move(out));
    text_.clear();
    files_.clear();
    phase_.clear();
  }

  json::array& items_;
  const std::string vendor_;
  const char* speaker_ = "user";
  std::string text_;
  json::array files_; ///< Images and documents.
  std::string phase_;
};

result<json::array> items_of(const conversation& said, std::string vendor) {
  json::array items;
  item_writer writer{items, std::move(vendor)};
  for (const auto& m : said)
    if (auto ok = writer.add(*m); !ok)
      return ok.error();
  if (items.empty())
    return error{errc::invalid_argument,
                 "the conversation holds nothing to send to openai"};
  return items;
}

result<json::array> tools_of(const agent_definition& agent,
                             const output_request& output) {
  json::array tools;
  for (const auto* tool : offered_tools(agent, output)) {
    auto schema =
      stored_json(tool->input_schema, "the schema of " + tool->name);
    if (!schema)
      return schema.error();
    tools.push_back({{"type", "function"},
                     {"name", tool->name},
                     {"description", tool->description},
                     {"parameters", std::move(*schema)},
                     {"strict", false}});
  }
  return tools;
}

} // namespace

std::string vendor_of(const openai_responses_options& options) {
  return options.base_url.empty()
             || options.base_url.starts_with("https://api.openai.com")
           ? "openai-responses"
           : "openai-responses@" + options.base_url;
}

result<std::string> to_wire(const model_request& request,
                            const openai_responses_options& options,
                            delivery wanted) {
  const auto& agent = *request.agent;
  const auto known = options.capabilities.find(vendor::openai, options.model);
  const auto output =
    checked_output(request, known, options.model, {agent.options});
  if (!output)
    return output.error();
  auto items = items_of(request.conversation, vendor_of(options));
  if (!items)
    return items.error();
  auto tools = tools_of(agent, *output);
  if (!tools)
    return tools.error();

  json::object body{{"model", options.model}};
  if (!agent.system.empty())
    body["instructions"] = agent.system;
  if (!tools->empty()) {
    body["tools"] = std::move(*tools);
    if (options.parallel_tool_calls)
      body["parallel_tool_calls"] = *options.parallel_tool_calls;
    if (output->is_forced)
      body["tool_choice"] = "required";
  }
  body["input"] = std::move(*items);
  body["store"] = false;
  if (output->schema)
    body["text"] = {{"format",
                     {{"type", "json_schema"},
                      {"name", output_tool_name},
                      {"schema", *output->schema},
                      {"strict", output->is_strict}}}};
  if (may_reason(known))
    body["include"] = json::array{"reasoning.encrypted_content"};
  body["max_output_tokens"] = agent.options.output_tokens_max;
  if (agent.options.temperature)
    body["temperature"] = *agent.options.temperature;
  json::object reasoning;
  if (agent.options.effort)
    reasoning["effort"] = *agent.options.effort;
  if (!options.reasoning_summary.empty())
    reasoning["summary"] = options.reasoning_summary;
  if (!reasoning.empty())
    body["reasoning"] = std::move(reasoning);
  if (wanted == delivery::streamed)
    body["stream"] = true;
  return wire_text(body);
}

} // namespace kestrion::responses_wire
