#pragma once

#include <kestrion/scheduler/text_hash.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace kestrion {

/// How many tokens outputs have: counts by size, of which old ones fade.
class output_history {
public:
  void add(std::int64_t tokens);
  bool learnt() const;
  /// At most one in twenty was longer.
  std::int64_t high() const;
  std::int64_t mean() const;

private:
  void move_high();

  std::array<double, 96> counts_{}; ///< By size, four slots a doubling.
  std::size_t high_ = 0;            ///< The slot of the high one,
  double below_ = 0;                ///< and what is in those below it.
  double weight_ = 1;               ///< Of the next one.
  double total_ = 0;
  double mean_ = 0;
  int samples_ = 0;
};

/// Estimates tokens for one model family before a call, and learns from what
/// calls really used. Reservations are high on purpose: what is too much comes
/// back at the commit, what is too little is refused by the server.
///
/// While it has not learnt, it takes what can't be exceeded: a token for each
/// byte, and the declared maximum of the output.
/// @par Threading Owner only.
class token_estimator {
public:
  /// Above it agents are learnt about together.
  static constexpr std::size_t agents_max = 10'000;

  /// Names an agent to the functions below. Made when first asked for.
  using agent_index = std::uint32_t;
  agent_index agent(std::string_view name);

  /// To be reserved for `bytes` of input.
  std::int64_t input(std::int64_t bytes) const;
  /// To be reserved for the output of an agent. @param max  As declared.
  std::int64_t output(agent_index agent, std::int64_t max) const;

  /// What such a call uses on average.
  std::int64_t mean_input(std::int64_t bytes) const;
  std::int64_t mean_output(agent_index agent, std::int64_t max) const;

  /// What such a call is taken to use when it is its turn; the rest is counted
  /// when it has ended. While nothing is learnt that is little: whose turn it
  /// is moves on with what is charged, and does not come back with a refund.
  std::int64_t expected_input(std::int64_t bytes) const;
  std::int64_t expected_output(agent_index agent, std::int64_t max) const;

  /// @param bytes  0: not known, nothing is learnt about input.
  void learn(std::int64_t bytes, std::int64_t input_tokens, agent_index agent,
             std::int64_t output_tokens);

private:
  double ratio_ = 1;     ///< Tokens a byte, on average.
  double deviation_ = 0; ///< Of it, on average.
  int samples_ = 0;
  boost::unordered_flat_map<std::string, agent_index, text_hash,
                            std::equal_to<>>
    agents_;
  std::deque<output_history> outputs_{1}; ///< By agent; the first: of others.
};

} // namespace kestrion
