#include <kestrion/actors/replay_command.hpp>

#include <kestrion/actors/draft.hpp>
#include <kestrion/actors/run_machine.hpp>

#include <boost/describe/enum_from_string.hpp>

#include <algorithm>

namespace kestrion {

namespace {

using log_view = std::span<const recorded_event>;

errc code_named(const std::string& name) {
  auto code = errc::refused;
  boost::describe::enum_from_string(name.c_str(), code);
  return code;
}

const open_call* find_call(const run_state& s, const std::string& id) {
  for (const auto& call : s.progress.calls)
    if (call.id == id)
      return &call;
  return nullptr;
}

template <class E>
bool begins_with(log_view log) {
  return !log.empty() && std::holds_alternative<E>(log.front().event);
}

/// Makes up a command for each event that may come first.
class command_maker {
public:
  command_maker(const run_state& state, log_view log)
    : s_(state), log_(log), now_(log.front().at) {}

  using made = std::optional<command>;

  made operator()(const run_started& x) const {
    start_run c{x, {}, now_};
    for (auto rest = log_.subspan(1); begins_with<message_received>(rest);
         rest = rest.subspan(1)) {
      const auto& said = std::get<message_received>(rest.front().event);
      if (said.by)
        break;
      c.history.push_back(said.message);
    }
    // A run that was handed over begins with its history alone, and so does one
    // whose last message is none that may be a prompt.
    if (!x.handed_from && !c.history.empty()
        && !machine::misfit(c.history.back(), x.agent)) {
      c.input = std::move(c.history.back());
      c.history.pop_back();
    }
    return c;
  }

  made operator()(const message_received& x) const {
    return send_message{x.message, x.by.value_or(""), interrupts(), now_};
  }

  made operator()(const signal_received& x) const {
    return signal_run{x.name, x.data, x.by, now_};
  }

  made operator()(const model_call_completed& x) const {
    auto reply = reply_of(x);
    reply.parts = x.parts;
    reply.stop = x.stop;
    return answer(x, std::move(reply));
  }

  made operator()(const model_call_failed& x) const {
    model_failure failure{{code_named(x.code), x.detail}, false, {}, 0};
    failure.retryable =
      x.retry_at
      || (attempts_are_used_up(x.attempt) && may_pass(failure.error.code));
    if (x.retry_at)
      failure.retry_after = *x.retry_at - now_;
    if (is_switched())
      failure.retry_after = wait_for_nobody;
    return answer(x, std::move(failure));
  }

  made operator()(const conversation_compacted& x) const {
    auto reply = reply_of(x);
    reply.parts = {text_part{x.summary}};
    return answer(x, std::move(reply));
  }

  /// What was counted had an answer, which was no good.
  made operator()(const compaction_failed& x) const {
    if (x.usage != token_usage{} || x.cost_usd_micros) {
      model_reply reply;
      reply.usage = x.usage;
      reply.cost_usd_micros = x.cost_usd_micros;
      const auto code = code_named(x.code);
      if (code == errc::limit_exceeded)
        reply.stop = stop_reason::max_tokens;
      else if (code == errc::refused)
        reply.stop = stop_reason::refusal;
      return answer(x, std::move(reply));
    }
    model_failure failure{
      {code_named(x.code), x.detail}, x.retry_at.has_value(), {}, 0};
    return answer(x, std::move(failure));
  }

  made operator()(const tool_call_started& x) const {
    return resolve_doubt{
      {x.call, doubt_answer::run_again, x.by.value_or(""), {}}, now_};
  }

  made operator()(const tool_call_completed& x) const {
    const auto* call = find_call(s_, x.call);
    if (call && call->phase == call_phase::sleeping)
      return tick{now_};
    if (x.by && call && call->phase == call_phase::asking)
      return answer_question{{x.call, *x.by, x.content}, now_};
    if (x.by)
      return resolve_doubt{{x.call, doubt_answer::happened, *x.by, x.content},
                           now_};
    tool_outcome outcome{x.content, {}};
    if (x.attachments)
      outcome.attachments = *x.attachments;
    return done(x.call, std::move(outcome), x.duration);
  }

  made operator()(const tool_call_failed& x) const {
    if (x.by)
      return resolve_doubt{
        {x.call, doubt_answer::did_not_happen, *x.by, x.detail}, now_};
    return done(x.call, {x.detail, x.reason, true}, x.duration);
  }

  made operator()(const tool_attempt_failed& x) const {
    return done(x.call, {x.detail, x.reason, false}, x.duration);
  }

  made operator()(const output_rejected& x) const {
    return done(x.call, {x.reason, tool_failure::failed}, {});
  }

  made operator()(const run_completed&) const {
    if (const auto* handoff = open_handoff(s_.progress))
      return ended(handoff->id, run_status::running);
    if (s_.progress.check)
      return done(s_.progress.check->call, {}, {});
    return std::nullopt;
  }

  made operator()(const child_ended& x) const {
    auto c = ended(x.call, x.status);
    c.content = words_of_child(x);
    c.usage = x.usage;
    c.cost_usd_micros = x.cost_usd_micros;
    c.descendants = x.descendants;
    return c;
  }

  made operator()(const approval_granted& x) const {
    return approve_call{
      {.call = x.call, .by = x.by, .role = x.role, .arguments = x.arguments},
      now_};
  }

  made operator()(const approval_denied& x) const {
    return deny_call{
      {.call = x.call, .by = x.by, .role = x.role, .reason = x.reason}, now_};
  }

  made operator()(const run_cancelled& x) const {
    return cancel_run{x.by, x.reason, now_};
  }
  made operator()(const run_recovered&) const { return recover_run{now_}; }
  made operator()(const run_parked& x) const {
    return park_run{x.reason, now_};
  }
  made operator()(const run_resumed& x) const { return unpark_run{x.by, now_}; }

  // What time leads to.
  made operator()(const approval_expired& x) const {
    if (!s_.progress.parked)
      return tick{now_};
    // Of a parked run: somebody's decision came too late.
    approve_call late{{.call = x.call, .by = "somebody"}, now_};
    for_each_closed_gate(s_.progress, [&](const open_call& call) {
      if (call.id == x.call)
        late.decision.role = missing_roles(call).front();
    });
    return late;
  }
  made operator()(const run_failed&) const { return tick{now_}; }
  made operator()(const limit_reached&) const { return tick{now_}; }
  made operator()(const model_call_interrupted&) const { return tick{now_}; }

  // What follows from another event.
  made operator()(const tool_call_in_doubt&) const { return std::nullopt; }
  made operator()(const approval_requested&) const { return std::nullopt; }
  made operator()(const run_expired&) const { return std::nullopt; }
  made operator()(const child_started&) const { return std::nullopt; }
  made operator()(const handed_off&) const { return std::nullopt; }
  made operator()(const question_asked&) const { return std::nullopt; }
  made operator()(const output_check_started&) const { return std::nullopt; }
  made operator()(const limits_raised&) const { return std::nullopt; }
  made operator()(const model_switched&) const { return std::nullopt; }
  made operator()(const compaction_started&) const { return std::nullopt; }
  made operator()(const sleep_started&) const { return std::nullopt; }
  made operator()(const run_forked&) const { return std::nullopt; }
  made operator()(const definition_changed&) const { return recover_run{now_}; }

private:
  /// What both kinds of answers say of themselves.
  template <class E>
  static model_reply reply_of(const E& x) {
    model_reply reply;
    reply.usage = x.usage;
    reply.model = x.model;
    reply.request_id = x.request_id.value_or("");
    reply.cost_usd_micros = x.cost_usd_micros;
    return reply;
  }

  template <class E>
  model_done answer(const E& x, model_outcome outcome) const {
    return {x.call, std::move(outcome), x.duration, now_, 0, x.attempt};
  }

  /// How many of them wake at the time of the first event, right behind it.
  std::ptrdiff_t sleepers_woken() const {
    std::ptrdiff_t n = 0;
    for (const auto& e : log_.subspan(1)) {
      const auto* over = std::get_if<tool_call_completed>(&e.event);
      const auto* call = over ? find_call(s_, over->call) : nullptr;
      if (e.at != now_ || !call || call->phase != call_phase::sleeping)
        break;
      ++n;
    }
    return n;
  }

  /// Whether what was said gave up a model call, or woke those who
  /// slept.
  bool interrupts() const {
    if (log_.size() < 2 || log_[1].at != now_)
      return false;
    if (std::holds_alternative<model_call_interrupted>(log_[1].event))
      return true;
    // All sleepers wake then; one whose time was over by chance is one of them.
    const auto& calls = s_.progress.calls;
    const auto sleeping =
      std::count_if(calls.begin(), calls.end(), [](const auto& call) {
        return call.phase == call_phase::sleeping;
      });
    return sleeping != 0 && sleepers_woken() == sleeping;
  }

  /// So long that another model takes over: what the server asked for is not in
  /// the log.
  static constexpr duration wait_for_nobody = std::chrono::hours{24};

  bool is_switched() const {
    return begins_with<model_switched>(log_.subspan(1));
  }

  /// What a child said, without what its parent made of it for the model.
  std::string words_of_child(const child_ended& x) const {
    const auto* call = find_call(s_, x.call);
    if (x.status == run_status::completed || !call)
      return x.content;
    const auto begin = machine::in_words(call->agent, x.status, {});
    // Less its full stop; a colon stands there if it said something.
    const auto size = begin.size() - 1;
    if (x.content.compare(0, size, begin, 0, size) != 0 || x.content == begin)
      return {};
    return x.content.substr(std::min(size + 2, x.content.size()));
  }

  /// Whether a failure that may pass would have been the last one, too.
  bool attempts_are_used_up(std::int64_t attempt) const {
    const auto& open = s_.progress.model_call;
    return open
           && attempt - open->given_up >= s_.header->limits.model_attempts_max;
  }

  tool_done done(const std::string& call, tool_outcome outcome,
                 duration took) const {
    return {call, std::move(outcome), took, now_};
  }

  child_done ended(const std::string& call, run_status status) const {
    child_done c;
    c.call = call;
    c.status = status;
    c.now = now_;
    return c;
  }

  const run_state& s_;
  log_view log_;
  timestamp now_;
};

} // namespace

std::optional<command> command_of(const run_state& s, log_view log) {
  return std::visit(command_maker{s, log}, log.front().event);
}

} // namespace kestrion
