#include "load.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kestrion::test {

using namespace std::chrono_literals;

load::load(load_options options, strict_server server)
  : options_(std::move(options)), server_(std::move(server)),
    scheduler_(options_.scheduler), rng_(options_.seed) {
  for (const auto& limit : options_.limits)
    scheduler_.declare(limit, now_).value();
  for (std::size_t i = 0; i < options_.tenants.size(); ++i) {
    const auto& tenant = options_.tenants[i];
    scheduler_.set_weight(tenant.name, tenant.weight);
    for (int j = 0; j < tenant.runs; ++j) {
      at(now_ + between(0s, 1s), step::ask, runs_.size());
      runs_.push_back({i, run_id::make(now_, 0, runs_.size() + 1)});
    }
  }
}

void load::pass(duration d) {
  rejected = 0;
  calls = input_tokens = output_tokens = 0;
  tokens.clear();
  waits.clear();
  call_times.clear();
  const auto end = now_ + d;
  while (true) {
    const auto wake = scheduler_.next_event(now_);
    const auto next = agenda_.empty() ? end : std::min(end, agenda_.top().at);
    if (wake && *wake < next) {
      now_ = std::max(now_, *wake);
    } else {
      now_ = next;
      if (agenda_.empty() || agenda_.top().at > end || next >= end)
        return;
      const auto o = agenda_.top();
      agenda_.pop();
      act(o);
    }
    deliver();
  }
}

void load::act(const occasion& o) {
  switch (o.what) {
    case step::ask: return ask(o.whom);
    case step::arrive: return arrive(o.whom);
    case step::answer: return answer(o.whom);
  }
}

void load::ask(std::size_t run) {
  const auto& tenant = options_.tenants[runs_[run].tenant];
  call_state call;
  call.run = run;
  call.bytes = static_cast<std::int64_t>(
    static_cast<double>(options_.input_bytes) * uniform(0.5, 1.5));
  call.input =
    static_cast<std::int64_t>(static_cast<double>(call.bytes)
                              * options_.tokens_a_byte * uniform(0.9, 1.1));
  call.output = std::min(
    options_.output_tokens_max,
    static_cast<std::int64_t>(static_cast<double>(options_.output_tokens)
                              * uniform(0.3, 1.7)));
  call_request request;
  request.tenant = tenant.name;
  request.run = runs_[run].id;
  request.agent = tenant.name;
  request.route = {"vendor", "model", "key"};
  request.input_bytes = call.bytes;
  request.output_tokens_max = options_.output_tokens_max;
  request.lane = tenant.lane;
  calls_[scheduler_.reserve(request, now_).value()] = call;
}

void load::deliver() {
  for (const auto& outcome : scheduler_.poll(now_)) {
    const auto& granted = std::get<call_granted>(outcome);
    auto& call = calls_.at(granted.ticket);
    waits[options_.tenants[runs_[call.run].tenant].name].push_back(
      granted.waited);
    at(now_ + between(5ms, 450ms), step::arrive, granted.ticket);
  }
}

void load::arrive(call_ticket ticket) {
  auto& call = calls_.at(ticket);
  call.sent = now_;
  if (const auto kind = server_.arrive(call.input, now_)) {
    ++rejected;
    scheduler_.throttled(ticket, {false, *kind, options_.retry_after}, now_);
    at(now_ + 1ms, step::ask, call.run);
    calls_.erase(ticket);
    return;
  }
  ++calls;
  input_tokens += call.input;
  at(now_ + between(2s, 8s), step::answer, ticket);
}

void load::answer(call_ticket ticket) {
  const auto call = calls_.at(ticket);
  calls_.erase(ticket);
  const auto& tenant = options_.tenants[runs_[call.run].tenant];
  server_.finish(call.output, now_);
  output_tokens += call.output;
  tokens[tenant.name] += static_cast<double>(call.input + call.output);
  call_times.push_back(now_ - call.sent);
  if (uniform(0, 1) < options_.death) {
    scheduler_.release(ticket, true, now_);
  } else {
    if (options_.reports)
      for (auto& limit : server_.limits())
        scheduler_.report(ticket, limit.report(now_), now_);
    call_usage usage;
    usage.tokens.input_tokens = call.input;
    usage.tokens.output_tokens = call.output;
    scheduler_.commit(ticket, usage, now_);
  }
  at(now_ + tenant.pause, step::ask, call.run);
}

double jain(const std::vector<double>& shares) {
  const auto sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  const auto squares =
    std::inner_product(shares.begin(), shares.end(), shares.begin(), 0.0);
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

duration p99(std::vector<duration> of) {
  std::sort(of.begin(), of.end());
  return of.at((of.size() * 99 + 99) / 100 - 1);
}

} // namespace kestrion::test
