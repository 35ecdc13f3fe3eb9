#include <kestrion/providers/models/failure.hpp>

#include <kestrion/messages/utf8.hpp>

#include <kestrion/providers/models/header_values.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace kestrion {

namespace {

constexpr std::size_t message_bytes_max = 300;
constexpr std::size_t secret_bytes_min = 4; ///< Shorter ones are words.

constexpr std::array money_codes = {
  std::string_view{"billing_error"},
  std::string_view{"enforced_spend_limit_reached"},
  std::string_view{"contract_spend_limit_reached"},
  std::string_view{"insufficient_quota"},
  std::string_view{"credit_balance_exhausted"},
  std::string_view{"billing_hard_limit_reached"},
  std::string_view{"billing_not_active"},
  std::string_view{"spend_limit_reached"},
  std::string_view{"usage_limit_reached"},
};

bool is_about_money(const vendor_error& e) {
  return std::any_of(
    money_codes.begin(), money_codes.end(),
    [&](std::string_view code) { return e.type == code || e.code == code; });
}

/// The status that an error inside a 2xx should have had.
int status_of(const vendor_error& e) {
  struct row {
    std::string_view type;
    int status;
  };
  constexpr row all[] = {
    {"invalid_request_error", 400},
    {"authentication_error", 401},
    {"permission_error", 403},
    {"not_found_error", 404},
    {"request_too_large", 413},
    {"rate_limit_error", 429},
    {"rate_limit_exceeded", 429},
    {"overloaded_error", 529},
    {"invalid_prompt", 400},
    {"bio_policy", 403},
    {"cyber_policy", 403},
    {"data_residency_mismatch", 403},
    {"context_length_exceeded", 400},
    {"misalignment_policy_violation", 403},
  };
  for (const auto& r : all)
    if (e.type == r.type || e.code == r.type)
      return r.status;
  // There are many such, and each means that the request is at fault.
  if (e.code.starts_with("invalid_")
      || e.code.find("image") != std::string::npos)
    return 400;
  return 500;
}

errc code_of(int status) {
  switch (status) {
    case 400:
    case 422: return errc::invalid_argument;
    case 401: return errc::unauthenticated;
    case 402: return errc::quota_exhausted;
    case 408: return errc::timeout;
    case 409: return errc::unavailable;
    case 429: return errc::rate_limited;
    default: return status >= 500 ? errc::unavailable : errc::refused;
  }
}

bool is_retryable(int status, const http_headers& headers) {
  const auto wish = find_header(headers, "x-should-retry");
  if (wish == "true" || wish == "false")
    return wish == "true";
  return status == 408 || status == 409 || status == 429 || status >= 500;
}

std::string without_secret(std::string text, std::string_view secret) {
  if (secret.size() < secret_bytes_min)
    return text;
  for (auto at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at))
    text.replace(at, secret.size(), "[key]");
  return text;
}

/// On one line, short, and without the key.
std::string presentable(std::string text, std::string_view secret) {
  text = without_secret(std::move(text), secret);
  std::replace_if(
    text.begin(), text.end(),
    [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (text.size() <= message_bytes_max)
    return text;
  auto end = message_bytes_max - 3;
  while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end; // Not inside a character.
  return text.substr(0, end) + "...";
}

std::optional<duration> wait_of(double seconds) {
  if (!(seconds >= 0))
    return std::nullopt;
  const auto most = std::chrono::duration<double>{wait_most};
  return std::chrono::duration_cast<duration>(
    std::min(std::chrono::duration<double>{seconds}, most));
}

} // namespace

model_failure failure_of(const http_response& answer, const vendor_error& why,
                         const answer_context& context) {
  const bool late = answer.status >= 200 && answer.status < 300;
  const int status = late ? status_of(why) : answer.status;
  const bool money = status == 402 || is_about_money(why);
  std::string sentence =
    std::string{context.vendor} + " answered " + std::to_string(answer.status);
  if (!why.type.empty() || !why.code.empty())
    sentence +=
      " (" + presentable(why.code.empty() ? why.type : why.code, context.secret)
      + ")";
  sentence += " for model " + std::string{context.model};
  if (!why.message.empty())
    sentence += ": " + presentable(why.message, context.secret);

  model_failure out;
  out.error = {money ? errc::quota_exhausted : code_of(status),
               std::move(sentence)};
  out.retryable = !money && is_retryable(status, answer.headers);
  out.http_status = answer.status;
  if (out.retryable)
    out.retry_after = retry_after(answer.headers, context.now);
  if (out.retry_after && context.wait_max
      && *out.retry_after > *context.wait_max)
    out.retry_after.reset();
  return out;
}

model_failure no_json(const answer_context& context) {
  model_failure out;
  out.error = {errc::corrupt, "the answer of " + std::string{context.vendor}
                                + " for model " + std::string{context.model}
                                + " is no JSON"};
  out.retryable = true;
  out.http_status = 200;
  return out;
}

model_failure wrong_shape(const answer_context& context,
                          std::string_view what) {
  auto out = no_json(context);
  out.error.detail = "the answer of " + std::string{context.vendor}
                     + " for model " + std::string{context.model} + " "
                     + std::string{what};
  out.retryable = false;
  return out;
}

model_failure early_end(const answer_context& context) {
  auto out = no_json(context);
  out.error = {errc::io, "the stream of " + std::string{context.vendor}
                           + " for model " + std::string{context.model}
                           + " ended before the answer did"};
  return out;
}

model_failure failure_of(const http_failure& failure) {
  model_failure out;
  out.error = failure.error;
  out.retryable =
    failure.error.code == errc::io || failure.error.code == errc::timeout;
  return out;
}

std::optional<duration> retry_after(const http_headers& headers,
                                    timestamp now) {
  if (const auto ms = find_header(headers, "retry-after-ms"))
    if (const auto n = number_in<double>(*ms))
      return wait_of(*n / 1000);
  const auto value = find_header(headers, "retry-after");
  if (!value)
    return std::nullopt;
  if (const auto seconds = number_in<double>(*value))
    return wait_of(*seconds);
  const auto date = parse_http_date(*value);
  if (!date)
    return std::nullopt;
  return wait_of(
    std::chrono::duration<double>{std::max(*date - now, duration{})}.count());
}

std::optional<timestamp> parse_http_date(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view shape = "???, 00 ??? 0000 00:00:00 GMT";
  if (text.size() != shape.size())
    return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '0' ? text[i] < '0' || text[i] > '9'
                        : shape[i] != '?' && text[i] != shape[i])
      return std::nullopt;
  const auto month = months.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0)
    return std::nullopt;
  const std::chrono::year_month_day day{
    std::chrono::year{*number_in<int>(text.substr(12, 4))},
    std::chrono::month{static_cast<unsigned>(month / 3 + 1)},
    std::chrono::day{*number_in<unsigned>(text.substr(5, 2))}};
  if (!day.ok())
    return std::nullopt;
  return std::chrono::sys_days{day}
         + std::chrono::hours{*number_in<int>(text.substr(17, 2))}
         + std::chrono::minutes{*number_in<int>(text.substr(20, 2))}
         + std::chrono::seconds{*number_in<int>(text.substr(23, 2))};
}

} // namespace kestrion
