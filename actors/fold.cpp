#include <kestrion/actors/run_machine.hpp>

#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/messages/match.hpp>

#include <algorithm>

namespace kestrion {

namespace {

void say(run_state& s, message m) {
  s.vendor_ids.add(m);
  s.conversation.push_back(std::make_shared<const message>(std::move(m)));
}

/// The progress tells whether it is the model's turn to hear it.
void hear(run_state& s, message m) {
  if (s.progress.heard == 0)
    return say(s, std::move(m));
  s.heard.push_back(std::make_shared<const message>(std::move(m)));
}

/// What was heard is said once a model call takes it along.
void say_heard(run_state& s) {
  if (s.progress.heard != 0 || s.heard.empty())
    return;
  s.vendor_ids.add(s.heard);
  s.conversation.insert(s.conversation.end(), s.heard.begin(), s.heard.end());
  s.heard.clear();
}

/// Keeps a result until its batch is complete.
void keep(run_state& s, const std::string& id, std::string content,
          bool is_error, std::optional<std::vector<content_part>> attachments) {
  const auto& batch = *s.conversation.back();
  std::size_t at = 0;
  for (const auto& each : batch.parts)
    if (const auto* asked = std::get_if<tool_call_part>(&each)) {
      if (asked->id == id && at < s.results.size()) {
        s.results[at] = tool_result_part{id,          asked->vendor_id,
                                         asked->name, std::move(content),
                                         is_error,    std::move(attachments)};
        return; // Ids differ.
      }
      ++at;
    }
}

/// All results are there: they are the next message, in the order of the calls.
void say_results_if_complete(run_state& s) {
  if (s.results.empty()
      || !std::all_of(s.results.begin(), s.results.end(),
                      [](const auto& r) { return r.has_value(); }))
    return;
  message m{role::tool, {}};
  for (auto& r : s.results)
    m.parts.emplace_back(std::move(*r));
  s.results.clear();
  say(s, std::move(m));
}

/// The summary stands for the messages that it is about.
void sum_up(run_state& s, const conversation_compacted& x) {
  const auto size = std::ssize(s.conversation);
  if (x.first < 0 || x.first >= size || x.messages < 1
      || x.messages > size - x.first)
    return;
  const auto begin = s.conversation.begin() + x.first;
  *begin = std::make_shared<const message>(user_message(text_of(x)));
  s.conversation.erase(begin + 1, begin + x.messages);
  s.vendor_ids = {};
  s.vendor_ids.add(s.conversation);
}

} // namespace

run_state fold(run_state s, recorded_event e) {
  fold_progress(s.progress, e);
  const auto keep_result =
    [&](const std::string& id, std::string content, bool is_error,
        std::optional<std::vector<content_part>> attachments = {}) {
      if (s.results.empty())
        return;
      keep(s, id, std::move(content), is_error, std::move(attachments));
      say_results_if_complete(s);
    };
  match(
    e.event, [&](run_started& x) { s.header = std::move(x); },
    [&](message_received& x) { hear(s, std::move(x.message)); },
    [&](const signal_received& x) { hear(s, user_message(text_of(x))); },
    [&](const output_rejected& x) { say(s, user_message(text_of(x))); },
    [&](model_call_completed& x) {
      say(s, {role::assistant, std::move(x.parts)});
      s.results.assign(s.progress.calls.size(), std::nullopt);
    },
    [&](tool_call_completed& x) {
      keep_result(x.call, std::move(x.content), false,
                  std::move(x.attachments));
    },
    [&](tool_call_failed& x) {
      keep_result(x.call, std::move(x.detail), true);
    },
    [&](const approval_denied& x) {
      keep_result(x.call,
                  "Denied by " + x.by
                    + (x.role.empty() ? "" : " (" + x.role + ")")
                    + (x.reason.empty() ? "." : ": " + x.reason),
                  true);
    },
    [&](child_ended& x) {
      keep_result(x.call, std::move(x.content),
                  x.status != run_status::completed);
    },
    [&](const conversation_compacted& x) { sum_up(s, x); },
    [](const auto&) {}); // The rest is progress only.
  say_heard(s);
  return s;
}

} // namespace kestrion
