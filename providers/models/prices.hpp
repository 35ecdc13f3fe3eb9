#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion {

/// A price from a day on, for prompts over a size.
struct price_row {
  model_price price;
  timestamp effective_from = {};
  /// It holds for all tokens of a call whose prompt, cached parts included, is
  /// longer than this.
  std::int64_t prompt_tokens_over = 0;
};

/// What models cost. Knows the public prices of Claude and GPT; `with` and
/// `read` put others in.
/// @par Threading Immutable; any thread. Copies share their rows.
class price_table {
public:
  price_table(); ///< The built-in prices.

  /// A copy in which `rows` are all there is to know about `model`.
  price_table with(const std::string& model, std::vector<price_row> rows) const;
  price_table with(const std::string& model, const model_price& price) const;

  /// A copy with the prices of a JSON document, in dollars per million tokens:
  /// `{"prices": [{"model": "m", "input": 3, "output": 15}]}`, where a row may
  /// also have `cache_read`, `cache_write` (else as input), `effective_from`
  /// ("2026-10-07") and `prompt_tokens_over`.
  /// @par Errors `invalid_argument`, naming the row and the member.
  result<price_table> read(std::string_view json) const;

  /// `read` of a file.  @par Errors also `io` if it cannot be read.
  result<price_table> read_file(const std::string& path) const;

  /// A dated name (`claude-sonnet-4-5-20250929`) costs what its model costs.
  std::optional<model_price> find(std::string_view model, timestamp at,
                                  std::int64_t prompt_tokens = 0) const;

  /// Micro-dollars of one call; nothing if the price is unknown.
  std::optional<std::int64_t>
  cost(std::string_view model, const token_usage& usage, timestamp at) const;

private:
  using rows_by_model =
    std::map<std::string, std::vector<price_row>, std::less<>>;
  std::shared_ptr<const rows_by_model> rows_;
};

} // namespace kestrion
