#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/error.hpp>

#include <boost/describe/enum.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion {

enum class vendor : std::uint8_t { anthropic, openai, ollama };
BOOST_DESCRIBE_ENUM(vendor, anthropic, openai, ollama)

enum class takes_temperature : std::uint8_t {
  yes,
  no,
  without_effort, ///< Only with the effort "none".
};
BOOST_DESCRIBE_ENUM(takes_temperature, yes, no, without_effort)

/// How a model is made to answer with a document.
enum class output_mode : std::uint8_t {
  native, ///< The vendor holds it to a schema.
  tool,   ///< It calls a tool whose arguments are the answer.
};
BOOST_DESCRIBE_ENUM(output_mode, native, tool)

/// What the models of one vendor accept whose names begin so.
struct model_capabilities {
  kestrion::vendor vendor = vendor::openai;
  std::string name_prefix; ///< Empty: all.
  takes_temperature temperature = takes_temperature::yes;
  /// Nothing: any. An empty list: none at all. Also below.
  std::optional<std::vector<std::string>> efforts = {};
  std::optional<std::vector<std::string>> thinking = {}; ///< Anthropic's types.
  bool tools = true;
  bool images = true;
  bool documents = true; ///< PDF; plain text is for all.
  output_mode output = output_mode::native;
  /// It may be told that it has to call some tool, so that an answer by a tool
  /// is one for certain.
  bool forced_tools = false;
  /// Tokens that it can take in; nothing: nobody says.
  std::optional<std::int64_t> context_window = {};
};

/// What models accept. Knows those of Anthropic, OpenAI and Ollama; `with` and
/// `read` put others in.
/// @par Threading Immutable; any thread. Copies share their rows.
class capability_table {
public:
  capability_table(); ///< The built-in rows.

  /// A copy in which `row` is all there is to know about the models it is for.
  capability_table with(model_capabilities row) const;

  /// A copy with the rows of a JSON document before all others; of these, the
  /// first that is for a model counts:
  /// `{"models": [{"vendor": "openai", "name_prefix": "deepseek-"}]}`, where a
  /// row may also have `temperature` ("yes", "no", "without_effort"), `efforts`
  /// and `thinking` (lists; without them it takes any), `tools`, `images`
  /// and `documents` (true unless said), `output` ("native" unless "tool"),
  /// `forced_tools` (false unless said) and `context_window` (tokens).
  /// @par Errors `invalid_argument`, naming the row and the member.
  result<capability_table> read(std::string_view json) const;

  /// `read` of a file.  @par Errors also `io` if it cannot be read.
  result<capability_table> read_file(const std::string& path) const;

  /// A model that nobody knows may all, as far as we can tell.
  model_capabilities find(vendor v, std::string_view model) const;

private:
  capability_table before_others(std::vector<model_capabilities> rows) const;

  std::shared_ptr<const std::vector<model_capabilities>> rows_;
};

/// What a model is asked for beyond text.
struct requested_options {
  const model_options& options;
  std::string_view version = {};  ///< Anthropic's API version.
  std::string_view thinking = {}; ///< Anthropic's `thinking.type`; or none.
  bool tools = false;
  bool images = false;
  bool documents = false;
};

/// Refuses what the vendor would answer with 400, so that the mistake costs no
/// call and has a clear name.
/// @param model  Its name, for the sentence.
/// @par Errors `unsupported`, naming the model, the option and what it takes;
///             `invalid_argument` for a limit below 1.
result<void> check_options(const model_capabilities& known,
                           std::string_view model,
                           const requested_options& requested);

/// Whether a model may think, as far as we know: then what it thought is asked
/// for, in a form that can be given back.
bool may_reason(const model_capabilities& known);

} // namespace kestrion
