#include <kestrion/scheduler/call_limit.hpp>

#include <algorithm>
#include <limits>

namespace kestrion {

namespace {

/// So many periods after an urgent call batch still leaves room for another.
constexpr auto urgent_periods = 10;
/// The part of a window that batch may take at once while urgent calls come.
constexpr auto pace_share = 20; // One in so many.
/// The part of a window of tokens that is left to calls that use more than they
/// reserved: the last few of a full window may, with nobody to make up for it.
constexpr auto spare_share = 512; // One in so many.

std::int64_t amount_of(limit_kind kind, const call_cost& cost) {
  switch (kind) {
    case limit_kind::requests: return 1;
    case limit_kind::input_tokens: return cost.input_tokens;
    case limit_kind::output_tokens: return cost.output_tokens;
    case limit_kind::total_tokens:
      return cost.input_tokens + cost.output_tokens;
    case limit_kind::concurrency: return 1;
  }
  return 0;
}

std::int64_t windowed(const limit_spec& spec) {
  return spec.kind == limit_kind::requests
           ? spec.amount
           : spec.amount - spec.amount / spare_share;
}

std::int64_t paced(std::int64_t amount) {
  return amount + amount / pace_share;
}

std::variant<std::monostate, token_bucket, window_limit>
meter_of(const limit_spec& spec, timestamp now) {
  if (spec.kind == limit_kind::concurrency)
    return {};
  if (spec.shape == limit_shape::continuous)
    return token_bucket{spec.amount, spec.period, spec.latency_max, now};
  return window_limit{windowed(spec), spec.period, spec.latency_max};
}

/// Full: 1/20 of the amount, refilled a little faster than the limit allows:
/// it takes bursts away, and leaves the limit itself to the window.
std::optional<token_bucket> pace_of(const limit_spec& spec, timestamp now) {
  if (spec.kind == limit_kind::concurrency
      || spec.shape == limit_shape::continuous)
    return std::nullopt;
  return token_bucket{paced(spec.amount), spec.period,
                      spec.period - spec.period / pace_share, now};
}

} // namespace

call_limit::call_limit(limit_spec spec, timestamp now)
  : spec_(std::move(spec)), total_(spec_.amount),
    at_end_(spec_.charged.value_or(spec_.kind == limit_kind::output_tokens
                                     ? charge_time::at_end
                                     : charge_time::at_start)
            == charge_time::at_end),
    meter_(meter_of(spec_, now)), pace_(pace_of(spec_, now)) {}

std::int64_t call_limit::whole() const {
  if (const auto* bucket = std::get_if<token_bucket>(&meter_))
    return bucket->capacity();
  if (const auto* window = std::get_if<window_limit>(&meter_))
    return window->capacity();
  return spec_.amount;
}

std::int64_t call_limit::need(const call_cost& cost) const {
  return std::min(wanted(cost), whole());
}

std::int64_t call_limit::wanted(const call_cost& cost) const {
  return amount_of(spec_.kind, cost);
}

timestamp call_limit::ready_at(std::int64_t amount, bool urgent,
                               timestamp now) {
  if (const auto closed = gate.closed_until(now))
    return *closed;
  if (is_shared() && (slice_ == 0 || now >= slice_until_))
    return timestamp::max(); // A lease gives more.
  auto at = now;
  if (auto* bucket = std::get_if<token_bucket>(&meter_))
    at = bucket->ready_at(amount + held_, now);
  else if (auto* window = std::get_if<window_limit>(&meter_))
    at = window->ready_at(amount + held_, now);
  else
    return in_flight_ < spec_.amount ? now : timestamp::max();
  if (pace_ && !urgent && urgent_at_ != timestamp::min()
      && now - urgent_at_ < urgent_periods * spec_.period)
    at =
      std::max(at, pace_->ready_at(std::min(amount, pace_->capacity()), now));
  return at;
}

call_limit::hold call_limit::take(std::int64_t amount, bool urgent,
                                  timestamp now) {
  hold out{this, amount, 0};
  ++in_flight_;
  if (urgent)
    urgent_at_ = now;
  if (pace_)
    pace_->charge(amount, now);
  if (at_end_)
    held_ += amount;
  else if (auto* bucket = std::get_if<token_bucket>(&meter_))
    bucket->charge(amount, now);
  else if (auto* window = std::get_if<window_limit>(&meter_))
    out.slot = window->charge(amount, now);
  if (spec_.kind != limit_kind::concurrency)
    note(amount, now);
  return out;
}

void call_limit::settle(const hold& held, const call_cost& used,
                        timestamp now) {
  end(held, amount_of(spec_.kind, used), now);
}

void call_limit::give_back(const hold& held, timestamp now) {
  end(held, 0, now);
}

void call_limit::end(const hold& held, std::int64_t used, timestamp now) {
  --in_flight_;
  if (pace_)
    pace_->charge(used - held.amount, now);
  if (at_end_)
    held_ -= held.amount;
  if (auto* bucket = std::get_if<token_bucket>(&meter_))
    bucket->charge(at_end_ ? used : used - held.amount, now);
  else if (auto* window = std::get_if<window_limit>(&meter_)) {
    if (at_end_)
      window->charge(used, now);
    else
      window->adjust(held.slot, used - held.amount, now);
  }
}

void call_limit::note(std::int64_t amount, timestamp now) {
  unseen(now); // Forgets the old ones.
  recent_sum_ += amount;
  // A few entries do, however many calls there are.
  if (!recent_.empty() && now - recent_.back().first < spec_.latency_max / 16)
    recent_.back().second += amount;
  else
    recent_.emplace_back(now, amount);
}

std::int64_t call_limit::unseen(timestamp now) {
  const auto age = 2 * spec_.latency_max + spec_.latency_max / 16;
  while (!recent_.empty() && recent_.front().first < now - age) {
    recent_sum_ -= recent_.front().second;
    recent_.pop_front();
  }
  return recent_sum_;
}

void call_limit::believe(const limit_report& report, timestamp now) {
  if (report.limit && *report.limit > 0
      && *report.limit != (is_shared() ? total_ : spec_.amount))
    resize(*report.limit, now);
  auto* bucket = std::get_if<token_bucket>(&meter_);
  auto* window = std::get_if<window_limit>(&meter_);
  if (window && report.reset_at)
    window->forget_at(now - spec_.latency_max, *report.reset_at, now);
  if (!report.remaining || (!bucket && !window))
    return;
  // Somebody else uses it too, if the server has less than we believe.
  const auto ours = bucket ? bucket->available(now) : window->available(now);
  if (ours <= *report.remaining)
    return;
  const auto left = *report.remaining - (at_end_ ? 0 : unseen(now));
  bucket ? bucket->lower_to(left, now) : window->lower_to(left, now);
}

void call_limit::resize(std::int64_t amount, timestamp now) {
  if (is_shared())
    total_ = amount; // The next lease splits it.
  else
    set_amount(amount, now);
}

void call_limit::set_slice(std::int64_t amount, timestamp until,
                           timestamp now) {
  slice_ = amount;
  slice_until_ = until;
  set_amount(amount, now);
}

limit_need call_limit::need_of_slice(std::int64_t waiting, timestamp now) {
  const auto used = std::max<std::int64_t>(whole() - available(now), 0);
  limit_need out{spec_.name, total_, used + waiting, used <= slice_, {}};
  if (spec_.kind != limit_kind::concurrency)
    out.linger = spec_.period + spec_.latency_max;
  return out;
}

void call_limit::set_amount(std::int64_t amount, timestamp now) {
  spec_.amount = std::max<std::int64_t>(amount, 1);
  if (auto* bucket = std::get_if<token_bucket>(&meter_))
    bucket->resize(spec_.amount, now);
  else if (auto* window = std::get_if<window_limit>(&meter_))
    window->resize(windowed(spec_));
  if (pace_)
    pace_->resize(paced(spec_.amount), now);
}

void call_limit::empty(timestamp now) {
  // A window's uses are kept as they are: when it begins anew we do not know.
  if (auto* bucket = std::get_if<token_bucket>(&meter_))
    bucket->lower_to(0, now);
}

std::int64_t call_limit::available(timestamp now) {
  if (auto* bucket = std::get_if<token_bucket>(&meter_))
    return bucket->available(now) - held_;
  if (auto* window = std::get_if<window_limit>(&meter_))
    return window->available(now) - held_;
  return spec_.amount - in_flight_;
}

} // namespace kestrion
