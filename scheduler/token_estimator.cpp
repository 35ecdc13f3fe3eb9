#include <kestrion/scheduler/token_estimator.hpp>

#include <algorithm>
#include <cmath>

namespace kestrion {

namespace {

constexpr auto samples_to_learn = 8;
constexpr auto memory = 64.0; ///< Samples; older ones fade.
constexpr auto quantile = 0.95;
constexpr auto weight_max = 1e9; ///< Of a sample; far from any rounding.
/// Of the mean, above the average. More would be held back while calls are in
/// flight and lost to others; single calls that need more are made up for by
/// those that need less.
constexpr auto deviations = 1.5;
/// While nothing is learnt: of English, and the shortest answers that are one.
constexpr std::int64_t bytes_a_token = 4;
constexpr std::int64_t short_output = 64;

std::size_t slot_of(std::int64_t tokens, std::size_t slots) {
  const auto at = 4 * std::log2(static_cast<double>(tokens) + 1);
  return std::min(static_cast<std::size_t>(std::ceil(at)), slots - 1);
}

std::int64_t round_up(double tokens) {
  return static_cast<std::int64_t>(std::ceil(tokens));
}

} // namespace

void output_history::add(std::int64_t tokens) {
  tokens = std::max<std::int64_t>(tokens, 0);
  ++samples_;
  const auto share = 1 / std::min<double>(samples_, memory);
  mean_ += (static_cast<double>(tokens) - mean_) * share;
  // Instead of all others becoming less, each new one is more.
  if (samples_ > static_cast<int>(memory))
    weight_ /= 1 - 1 / memory;
  const auto slot = slot_of(tokens, counts_.size());
  counts_[slot] += weight_;
  below_ += slot < high_ ? weight_ : 0;
  total_ += weight_;
  move_high();
  if (weight_ < weight_max)
    return;
  for (auto& count : counts_)
    count /= weight_;
  total_ /= weight_;
  weight_ = 1;
  high_ = 0; // From the start, since rounding errors of sums add up.
  below_ = 0;
  move_high();
}

/// It is never far from where it was.
void output_history::move_high() {
  const auto wanted = quantile * total_;
  for (; high_ > 0 && below_ >= wanted; --high_)
    below_ -= counts_[high_ - 1];
  for (; high_ + 1 < counts_.size() && below_ + counts_[high_] < wanted;
       ++high_)
    below_ += counts_[high_];
}

bool output_history::learnt() const {
  return samples_ >= samples_to_learn;
}

std::int64_t output_history::high() const {
  return round_up(std::exp2(static_cast<double>(high_) / 4) - 1);
}

std::int64_t output_history::mean() const {
  return round_up(mean_);
}

std::int64_t token_estimator::input(std::int64_t bytes) const {
  const auto b = static_cast<double>(bytes);
  if (samples_ < samples_to_learn)
    return bytes;
  return round_up(b * std::min(1.0, ratio_ + deviations * deviation_));
}

std::int64_t token_estimator::mean_input(std::int64_t bytes) const {
  // A little more, for the average is not exact, and what is off adds up.
  return round_up(static_cast<double>(bytes)
                  * std::min(1.0, ratio_ + deviation_ / 2));
}

std::int64_t token_estimator::expected_input(std::int64_t bytes) const {
  return samples_ < samples_to_learn ? bytes / bytes_a_token
                                     : mean_input(bytes);
}

token_estimator::agent_index token_estimator::agent(std::string_view name) {
  if (const auto known = agents_.find(name); known != agents_.end())
    return known->second;
  if (agents_.size() == agents_max)
    return 0;
  outputs_.emplace_back();
  return agents_.emplace(name, static_cast<agent_index>(outputs_.size() - 1))
    .first->second;
}

std::int64_t token_estimator::output(agent_index agent,
                                     std::int64_t max) const {
  const auto& history = outputs_[agent];
  return history.learnt() ? std::min(history.high(), max) : max;
}

std::int64_t token_estimator::mean_output(agent_index agent,
                                          std::int64_t max) const {
  const auto& history = outputs_[agent];
  return history.learnt() ? std::min(history.mean(), max) : max;
}

std::int64_t token_estimator::expected_output(agent_index agent,
                                              std::int64_t max) const {
  const auto& history = outputs_[agent];
  return std::min(history.learnt() ? history.mean() : short_output, max);
}

void token_estimator::learn(std::int64_t bytes, std::int64_t input_tokens,
                            agent_index agent, std::int64_t output_tokens) {
  if (bytes > 0) {
    const auto seen =
      static_cast<double>(input_tokens) / static_cast<double>(bytes);
    ++samples_;
    const auto share = 1 / std::min<double>(samples_, memory);
    const auto off = std::abs(seen - ratio_);
    ratio_ += (seen - ratio_) * share;
    // The first one says nothing about how far they are apart.
    if (samples_ > 1)
      deviation_ += (off - deviation_) * share;
  }
  outputs_[agent].add(output_tokens);
}

} // namespace kestrion
