#include <kestrion/actors/rate_limit.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>

namespace kestrion {

namespace {

/// "anthropic claude-sonnet-4-6 input tokens"
std::string name_of(const route_matcher& covers, limit_kind kind) {
  std::string name;
  for (const auto* each : {&covers.provider, &covers.model, &covers.key})
    if (!each->empty())
      name += *each + " ";
  std::string what = boost::describe::enum_to_string(kind, "");
  std::replace(what.begin(), what.end(), '_', ' ');
  return name + what;
}

} // namespace

rate_limit::rate_limit(std::string provider) {
  covers_.provider = std::move(provider);
}

rate_limit& rate_limit::model(std::string name) {
  covers_.model = std::move(name);
  return *this;
}

rate_limit& rate_limit::key(std::string name) {
  covers_.key = std::move(name);
  return *this;
}

rate_limit& rate_limit::refilled_continuously() {
  shape_ = limit_shape::continuous;
  return *this;
}

rate_limit& rate_limit::across_processes() {
  across_processes_ = true;
  return *this;
}

rate_limit& rate_limit::requests_per_minute(std::int64_t amount) {
  return add(limit_kind::requests, amount);
}

rate_limit& rate_limit::input_tokens_per_minute(std::int64_t amount) {
  return add(limit_kind::input_tokens, amount);
}

rate_limit& rate_limit::output_tokens_per_minute(std::int64_t amount) {
  return add(limit_kind::output_tokens, amount);
}

rate_limit& rate_limit::tokens_per_minute(std::int64_t amount) {
  return add(limit_kind::total_tokens, amount);
}

rate_limit& rate_limit::concurrent_calls(std::int64_t amount) {
  return add(limit_kind::concurrency, amount);
}

rate_limit& rate_limit::limit(limit_spec spec) {
  specs_.push_back(std::move(spec));
  return *this;
}

rate_limit& rate_limit::add(limit_kind kind, std::int64_t amount) {
  limit_spec spec;
  spec.name = name_of(covers_, kind);
  spec.covers = covers_;
  spec.kind = kind;
  spec.amount = amount;
  spec.shape = shape_;
  spec.across_processes = across_processes_;
  return limit(std::move(spec));
}

} // namespace kestrion
