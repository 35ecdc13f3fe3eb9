#include <kestrion/actors/inbox_answers.hpp>

#include <kestrion/messages/described.hpp>

namespace kestrion {

namespace {

struct answer_text {
  std::optional<std::uint64_t> seq; ///< Of a receipt.
  std::optional<std::string> code;  ///< Of a refusal.
  std::optional<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(answer_text, (), (seq, code, detail))

} // namespace

std::string answer_of(const result<run_receipt>& outcome) {
  if (outcome)
    return encode_json(answer_text{outcome->seq, {}, {}});
  const auto& e = outcome.error();
  return encode_json(answer_text{{}, std::string{to_string(e.code)}, e.detail});
}

result<run_receipt> outcome_in(const run_id& run, const std::string& answer) {
  const auto json = parse_json(answer, "the answer of " + run.str());
  auto text =
    json ? decode_json<answer_text>(*json) : result<answer_text>{json.error()};
  if (text && text->seq)
    return run_receipt{run, *text->seq};
  errc code{};
  if (text && text->code
      && boost::describe::enum_from_string(text->code->c_str(), code))
    return error{code, text->detail.value_or("")};
  return error{errc::corrupt,
               "the answer of " + run.str() + " is no answer: " + answer};
}

} // namespace kestrion
