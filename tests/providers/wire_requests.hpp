#pragma once

#include <kestrion/messages/model_call.hpp>
#include <kestrion/messages/time.hpp>
#include <kestrion/providers/http/client.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kestrion::test {

inline constexpr timestamp wire_now =
  std::chrono::sys_days{std::chrono::year{2026} / 11 / 23};

/// An agent with a tool that has one parameter.
inline agent_definition wire_agent() {
  agent_definition agent;
  agent.name = "ops";
  agent.system = "Be brief.";
  agent.options.output_tokens_max = 1'024;
  tool_spec scale;
  scale.name = "scale";
  scale.description = "Set the replicas.";
  scale.input_schema =
    R"({"type":"object","properties":{"n":{"type":"integer"}},)"
    R"("required":["n"],"additionalProperties":false})";
  agent.tools.push_back(scale);
  return agent;
}

inline message_ptr said(role speaker, std::vector<part> parts) {
  return std::make_shared<const message>(message{speaker, std::move(parts)});
}

inline model_request wire_request(conversation said_so_far,
                                  agent_definition agent = wire_agent()) {
  return {std::make_shared<const agent_definition>(std::move(agent)),
          std::move(said_so_far), "run_1/m1"};
}

/// A question, two tool calls with their results in order, and more.
inline conversation tool_round(const std::string& vendor_id_1,
                               const std::string& vendor_id_2) {
  return {
    said(role::user, {text_part{"Scale \"up\" \u2191"}}),
    said(role::assistant,
         {text_part{"On it."},
          tool_call_part{"c1.0", vendor_id_1, "scale", R"({"n": 3})"},
          tool_call_part{"c1.1", vendor_id_2, "scale", "not json"}}),
    said(role::tool,
         {tool_result_part{"c1.0", vendor_id_1, "scale", "done", false},
          tool_result_part{"c1.1", vendor_id_2, "scale", "no JSON", true}}),
    said(role::user, {text_part{"And now?"}})};
}

/// A PDF, a note and an image that people show, and that a tool does.
inline conversation shown_round() {
  const image_part image{"", "data:image/png;base64,aW1n", ""};
  const document_part pdf{"", "a.pdf", "data:application/pdf;base64,cGRm", ""};
  const document_part note{"", "n.md", "data:text/markdown;base64,aGk=", ""};
  return {
    said(role::user, {text_part{"Look:"}, pdf, note, image}),
    said(role::assistant, {tool_call_part{"c1.0", "call_1", "scale", "{}"},
                           tool_call_part{"c1.1", "call_2", "scale", "{}"}}),
    said(role::tool,
         {tool_result_part{"c1.0",
                           "call_1",
                           "scale",
                           "see",
                           false,
                           {{image, text_part{"left"}, pdf, note}}},
          tool_result_part{"c1.1", "call_2", "scale", "", false, {{image}}}})};
}

inline http_response answer_200(std::string body, http_headers headers = {}) {
  return {200, std::move(headers), std::move(body)};
}

inline const model_reply& reply_in(const model_outcome& outcome) {
  if (const auto* f = std::get_if<model_failure>(&outcome))
    throw std::runtime_error{"expected a reply, got " + to_string(f->error)};
  return std::get<model_reply>(outcome);
}

inline const model_failure& failure_in(const model_outcome& outcome) {
  if (std::holds_alternative<model_reply>(outcome))
    throw std::runtime_error{"expected a failure, got a reply"};
  return std::get<model_failure>(outcome);
}

} // namespace kestrion::test
