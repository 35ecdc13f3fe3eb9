#include <kestrion/providers/models/remote_model.hpp>

#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/forbid.hpp>
#include <kestrion/providers/models/output_request.hpp>
#include <kestrion/providers/models/rate_limits.hpp>

#include <utility>

namespace kestrion {

namespace {

model_failure failed(error why) {
  return {std::move(why), false, std::nullopt, 0};
}

class remote final : public model, public std::enable_shared_from_this<remote> {
public:
  explicit remote(remote_parts parts) : parts_(std::move(parts)) {}

  std::string name() const override { return parts_.name; }

  model_endpoint endpoint() const override { return parts_.endpoint; }

  std::optional<std::int64_t> context_window() const override {
    return parts_.context_window;
  }

  std::optional<model_price> price() const override {
    const auto known = parts_.prices.find(parts_.name, system_now());
    return known ? known : parts_.price_if_unknown;
  }

  /// Words a request that is not sent.
  result<void>
  check(const std::shared_ptr<const agent_definition>& agent) const override {
    const model_request probe{
      agent, {std::make_shared<const message>(user_message("?"))}, {}};
    auto body = parts_.to_wire(probe, delivery::whole);
    return body ? result<void>{} : std::move(body).error();
  }

  void complete(model_request request, std::stop_token stop,
                model_callback done) override {
    auto call = call_of(request, stop, delivery::whole);
    if (!call)
      return done(failed(std::move(call).error()));
    parts_.http->request(std::move(*call), stop,
                         [self = shared_from_this(), agent = request.agent,
                          done = std::move(done)](const http_outcome& outcome) {
                           done(self->outcome_of(outcome, *agent));
                         });
  }

  void stream(model_request request, std::stop_token stop, delta_sink on_delta,
              model_callback done) override {
    if (!parts_.streams)
      return model::stream(std::move(request), std::move(stop),
                           std::move(on_delta), std::move(done));
    auto call = call_of(request, stop, delivery::streamed);
    if (!call)
      return done(failed(std::move(call).error()));
    auto sink = std::make_shared<answer_sink>(parts_, on_delta);
    parts_.http->stream(
      std::move(*call), stop, sink,
      [self = shared_from_this(), sink, on_delta = std::move(on_delta),
       agent = request.agent,
       done = std::move(done)](const http_outcome& outcome) {
        const auto* answer = std::get_if<http_response>(&outcome);
        if (sink->answer && answer)
          return done(
            self->completed(sink->answer->outcome(), *answer, *agent));
        auto whole = self->outcome_of(outcome, *agent);
        if (const auto* reply = std::get_if<model_reply>(&whole))
          show_whole(*reply, on_delta);
        done(std::move(whole));
      });
  }

private:
  /// Feeds the stream to the vendor's decoder.
  struct answer_sink final : http_body_sink {
    answer_sink(const remote_parts& p, delta_sink d)
      : parts(p), on_delta(std::move(d)) {}

    /// A server that knows no streams answers with JSON in one piece, which is
    /// a stream of one line.
    bool begin(const http_response& head) override {
      const auto type = find_header(head.headers, "content-type");
      if (parts.frames == framing::server_sent_events && type
          && type->starts_with("application/json"))
        return false;
      answer.emplace(parts.frames, parts.decoder(head, system_now()), on_delta);
      return true;
    }
    bool take(std::string_view bytes) override { return answer->take(bytes); }

    const remote_parts& parts;
    const delta_sink on_delta;
    std::optional<answer_stream> answer;
  };

  result<http_request> call_of(const model_request& request,
                               const std::stop_token& stop,
                               delivery wanted) const {
    if (stop.stop_requested())
      return error{errc::cancelled,
                   "the call of model " + parts_.name + " was cancelled"};
    if (parts_.unusable)
      return *parts_.unusable;
    if (parts_.http->is_real() && model_calls_forbidden())
      return error{errc::refused,
                   "the model " + parts_.name + " at " + parts_.url
                     + " was called where forbid_model_calls() or "
                       "KESTRION_FORBID_MODEL_CALLS=1 forbids real calls"};
    if (!request.agent)
      return error{errc::invalid_argument,
                   "a call of model " + parts_.name + " names no agent"};
    auto body = parts_.to_wire(request, wanted);
    if (!body)
      return std::move(body).error();
    http_request call;
    call.url = parts_.url;
    call.headers = parts_.headers;
    call.body = std::move(*body);
    call.timeout = request.agent->options.timeout;
    call.repeatable = true; // A second answer costs money, but harms nothing.
    return call;
  }

  model_outcome outcome_of(const http_outcome& outcome,
                           const agent_definition& agent) const {
    if (const auto* none = std::get_if<http_failure>(&outcome))
      return failure_of(*none);
    const auto& answer = std::get<http_response>(outcome);
    return completed(parts_.from_wire(answer, system_now()), answer, agent);
  }

  /// Adds what is not in the body.
  model_outcome completed(model_outcome outcome, const http_response& answer,
                          const agent_definition& agent) const {
    const auto now = system_now();
    if (auto* reply = std::get_if<model_reply>(&outcome)) {
      reply->cost_usd_micros = cost_of(*reply, now);
      if (agent.output)
        take_output_call(*reply);
    }
    std::visit([&](auto& x) { x.limits = limits_of(answer.headers, now); },
               outcome);
    return outcome;
  }

  std::optional<std::int64_t> cost_of(const model_reply& reply,
                                      timestamp now) const {
    // An alias is billed as what it stands for, which the reply may name.
    if (auto cost = parts_.prices.cost(parts_.name, reply.usage, now))
      return cost;
    if (auto cost = parts_.prices.cost(reply.model, reply.usage, now))
      return cost;
    if (parts_.price_if_unknown)
      return price_table{}
        .with(parts_.name, *parts_.price_if_unknown)
        .cost(parts_.name, reply.usage, now);
    return std::nullopt;
  }

  const remote_parts parts_;
};

} // namespace

model_ptr remote_model(remote_parts parts) {
  if (!parts.http)
    parts.http = shared_http_client();
  return std::make_shared<remote>(std::move(parts));
}

} // namespace kestrion
