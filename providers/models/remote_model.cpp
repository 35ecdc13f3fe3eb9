#include <kestrion/providers/models/remote_model.hpp>

#include <kestrion/providers/models/failure.hpp>
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

  std::optional<model_price> price() const override {
    const auto known = parts_.prices.find(parts_.name, system_now());
    return known ? known : parts_.price_if_unknown;
  }

  void complete(model_request request, std::stop_token stop,
                model_callback done) override {
    if (stop.stop_requested())
      return done(failed({errc::cancelled, "the call of model " + parts_.name
                                             + " was cancelled"}));
    if (parts_.unusable)
      return done(failed(*parts_.unusable));
    if (!request.agent)
      return done(
        failed({errc::invalid_argument,
                "a call of model " + parts_.name + " names no agent"}));
    auto body = parts_.to_wire(request);
    if (!body)
      return done(failed(std::move(body).error()));
    http_request call;
    call.url = parts_.url;
    call.headers = parts_.headers;
    call.body = std::move(*body);
    call.timeout = request.agent->options.timeout;
    call.repeatable = true; // A second answer costs money, but harms nothing.
    parts_.http->request(std::move(call), stop,
                         [self = shared_from_this(),
                          done = std::move(done)](const http_outcome& outcome) {
                           done(self->outcome_of(outcome));
                         });
  }

private:
  model_outcome outcome_of(const http_outcome& outcome) const {
    if (const auto* none = std::get_if<http_failure>(&outcome))
      return failure_of(*none);
    const auto now = system_now();
    const auto& answer = std::get<http_response>(outcome);
    auto read = parts_.from_wire(answer, now);
    if (auto* reply = std::get_if<model_reply>(&read))
      reply->cost_usd_micros = cost_of(*reply, now);
    std::visit([&](auto& x) { x.limits = limits_of(answer.headers, now); },
               read);
    return read;
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
