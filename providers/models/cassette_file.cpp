#include <kestrion/providers/models/cassette_file.hpp>

#include <kestrion/messages/canonical_json.hpp>
#include <kestrion/messages/described.hpp>
#include <kestrion/messages/json_text.hpp>

#include <boost/describe/enum_from_string.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>

namespace kestrion::cassette_file {

namespace {

constexpr int version = 1;
constexpr std::string_view removed = "[removed]";
constexpr std::size_t secret_bytes_min = 4; ///< Shorter ones are words.
constexpr std::size_t quoted_bytes_max = 80;

std::string in_small_letters(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

template <std::size_t N>
bool is_any_of(std::string_view name,
               const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), in_small_letters(name))
         != names.end();
}

bool is_secret_header(std::string_view name) {
  constexpr std::array<std::string_view, 6> all{
    "authorization", "proxy-authorization", "x-api-key",
    "api-key",       "x-goog-api-key",      "cookie"};
  return is_any_of(name, all);
}

bool is_secret_parameter(std::string_view name) {
  constexpr std::array<std::string_view, 9> all{
    "key",   "api_key", "api-key", "apikey",   "access_token",
    "token", "sig",     "secret",  "signature"};
  return is_any_of(name, all);
}

// -- writing ------------------------------------------------------------------

boost::json::object named_body(std::string_view body) {
  if (auto json = parse_json(body, "body"))
    return {{"body", std::move(*json)}};
  return {{"text", std::string{body}}};
}

void write_line(std::string& out, const boost::json::value& line) {
  out += canonical_json(line);
  out += '\n';
}

boost::json::object response_of(const exchange& x) {
  boost::json::object headers;
  for (const auto& h : x.response->headers)
    headers[h.name] = h.value;
  auto out =
    x.is_streamed ? boost::json::object{} : named_body(x.response->body);
  out["status"] = x.response->status;
  out["headers"] = std::move(headers);
  return out;
}

boost::json::object failure_json(const http_failure& f) {
  return {{"code", to_string(f.error.code)},
          {"detail", f.error.detail},
          {"step", to_string(f.step)},
          {"before_send", f.before_send}};
}

// -- reading ------------------------------------------------------------------

std::string body_of(const boost::json::object& o) {
  if (const auto* json = o.if_contains("body"))
    return canonical_json(*json);
  return std::string{o.at("text").as_string()};
}

http_step step_of(std::string_view name) {
  for (const auto step :
       {http_step::resolve, http_step::connect, http_step::handshake,
        http_step::write, http_step::first_byte, http_step::body})
    if (to_string(step) == name)
      return step;
  return http_step::check;
}

http_failure failure_of(const boost::json::object& o) {
  http_failure out;
  const std::string code{o.at("code").as_string()};
  if (!boost::describe::enum_from_string(code.c_str(), out.error.code))
    out.error.code = errc::io;
  out.error.detail = o.at("detail").as_string().c_str();
  out.step = step_of(o.at("step").as_string());
  out.before_send = o.at("before_send").as_bool();
  return out;
}

/// Puts lines together. What makes no sense throws.
class reader {
public:
  void take(const boost::json::object& line, std::size_t number) {
    if (const auto* x = line.if_contains("request")) {
      expect(is_whole_, "the exchange before it has no end");
      begin(x->as_object(), number);
    } else if (const auto* y = line.if_contains("response")) {
      expect(!is_whole_ && !last().response, "no request is before it");
      respond(y->as_object());
    } else if (const auto* z = line.if_contains("chunk")) {
      expect(is_streaming(), "no streamed response is before it");
      last().chunks.emplace_back(z->as_string());
    } else if (line.contains("end")) {
      expect(is_streaming(), "no streamed response is before it");
      is_whole_ = true;
    } else if (const auto* f = line.if_contains("failure")) {
      expect(!is_whole_, "no request is before it");
      last().failure = failure_of(f->as_object());
      is_whole_ = true;
    } else {
      throw std::runtime_error("it is none of the lines of a cassette");
    }
  }

  std::vector<exchange> end() {
    expect(is_whole_, "the last exchange has no end");
    return std::move(all_);
  }

private:
  static void expect(bool so, const char* else_why) {
    if (!so)
      throw std::runtime_error(else_why);
  }

  exchange& last() { return all_.back(); }

  bool is_streaming() { return !is_whole_ && last().is_streamed; }

  void begin(const boost::json::object& o, std::size_t number) {
    exchange x;
    x.method = o.at("method").as_string().c_str();
    x.url = o.at("url").as_string().c_str();
    x.body = body_of(o);
    x.line = number;
    all_.push_back(std::move(x));
    is_whole_ = false;
  }

  void respond(const boost::json::object& o) {
    auto& to = last().response.emplace();
    to.status = static_cast<int>(o.at("status").as_int64());
    for (const auto& [name, value] : o.at("headers").as_object())
      to.headers.push_back({std::string{name}, value.as_string().c_str()});
    last().is_streamed = !o.contains("body") && !o.contains("text");
    if (!last().is_streamed)
      to.body = body_of(o);
    is_whole_ = !last().is_streamed;
  }

  std::vector<exchange> all_;
  bool is_whole_ = true;
};

void check_header(const boost::json::object& line) {
  const auto* x = line.if_contains("cassette");
  if (!x)
    throw std::runtime_error("a cassette begins with {\"cassette\":1}");
  if (x->as_int64() != version)
    throw failure(
      {errc::unsupported, "its version is " + std::to_string(x->as_int64())
                            + ", known is " + std::to_string(version)});
}

// -- comparing ----------------------------------------------------------------

std::string quoted(const boost::json::value* x) {
  if (!x)
    return "nothing";
  auto text = canonical_json(*x);
  if (text.size() <= quoted_bytes_max)
    return text;
  auto end = quoted_bytes_max;
  while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end; // Not inside a character.
  return text.substr(0, end) + "...";
}

std::string said(const std::string& where, const boost::json::value* recorded,
                 const boost::json::value* now) {
  return "at " + (where.empty() ? "its beginning" : where) + " it has "
         + quoted(now) + ", recorded was " + quoted(recorded);
}

std::optional<std::string> differ(const boost::json::value& recorded,
                                  const boost::json::value& now,
                                  const std::string& where);

std::optional<std::string> differ(const boost::json::object& recorded,
                                  const boost::json::object& now,
                                  const std::string& where) {
  for (const auto& [name, value] : recorded) {
    const auto below = where + "/" + std::string{name};
    const auto* other = now.if_contains(name);
    if (!other)
      return said(below, &value, nullptr);
    if (auto found = differ(value, *other, below))
      return found;
  }
  for (const auto& [name, value] : now)
    if (!recorded.contains(name))
      return said(where + "/" + std::string{name}, nullptr, &value);
  return std::nullopt;
}

std::optional<std::string> differ(const boost::json::array& recorded,
                                  const boost::json::array& now,
                                  const std::string& where) {
  for (std::size_t i = 0; i < std::max(recorded.size(), now.size()); ++i) {
    const auto below = where + "/" + std::to_string(i);
    const auto* a = recorded.if_contains(i);
    const auto* b = now.if_contains(i);
    if (!a || !b)
      return said(below, a, b);
    if (auto found = differ(*a, *b, below))
      return found;
  }
  return std::nullopt;
}

std::optional<std::string> differ(const boost::json::value& recorded,
                                  const boost::json::value& now,
                                  const std::string& where) {
  if (recorded.is_object() && now.is_object())
    return differ(recorded.get_object(), now.get_object(), where);
  if (recorded.is_array() && now.is_array())
    return differ(recorded.get_array(), now.get_array(), where);
  if (canonical_json(recorded) != canonical_json(now))
    return said(where, &recorded, &now);
  return std::nullopt;
}

} // namespace

redactor redactor::with(const http_headers& headers) const {
  auto more = *this;
  for (const auto& h : headers)
    if (is_secret_header(h.name)) {
      more.secrets_.push_back(h.value);
      // "Bearer sk-..."
      more.secrets_.push_back(h.value.substr(h.value.rfind(' ') + 1));
    }
  return more;
}

std::string redactor::text(std::string text) const {
  for (const auto& secret : secrets_)
    if (secret.size() >= secret_bytes_min)
      for (auto at = text.find(secret); at != std::string::npos;
           at = text.find(secret, at + removed.size()))
        text.replace(at, secret.size(), removed);
  return text;
}

std::string redactor::url(std::string url) const {
  for (auto at = url.find('?'); at != std::string::npos;
       at = url.find('&', at + 1)) {
    const auto equals = url.find('=', at);
    const auto end = std::min(url.find('&', at + 1), url.size());
    if (equals < end
        && is_secret_parameter(
          std::string_view{url}.substr(at + 1, equals - at - 1)))
      url.replace(equals + 1, end - equals - 1, removed);
  }
  return text(std::move(url));
}

http_headers worth_keeping(const http_headers& headers) {
  constexpr std::array<std::string_view, 6> all{
    "content-type", "retry-after",  "retry-after-ms",
    "request-id",   "x-request-id", "x-should-retry"};
  http_headers out;
  for (const auto& h : headers)
    if (is_any_of(h.name, all))
      out.push_back({in_small_letters(h.name), h.value});
  return out;
}

std::vector<std::string> pieces_of(std::string_view body) {
  // Events end with an empty line, lines of JSON with the line.
  const std::string_view end_mark =
    body.starts_with('{')
      ? "\n"
      : (body.find("\r\n\r\n") != body.npos ? "\r\n\r\n" : "\n\n");
  std::vector<std::string> out;
  while (!body.empty()) {
    const auto mark = body.find(end_mark);
    const auto size = mark == body.npos ? body.size() : mark + end_mark.size();
    out.emplace_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return out;
}

std::string header() {
  return "{\"cassette\":" + std::to_string(version) + "}\n";
}

std::string write(const exchange& x) {
  auto request = named_body(x.body);
  request["method"] = x.method;
  request["url"] = x.url;
  std::string out;
  write_line(out, boost::json::object{{"request", std::move(request)}});
  if (x.response)
    write_line(out, boost::json::object{{"response", response_of(x)}});
  for (const auto& chunk : x.chunks)
    write_line(out, boost::json::object{{"chunk", chunk}});
  if (x.failure)
    write_line(out, boost::json::object{{"failure", failure_json(*x.failure)}});
  else if (x.is_streamed)
    write_line(out, boost::json::object{{"end", "complete"}});
  return out;
}

result<std::vector<exchange>> read(std::string_view text,
                                   const std::string& name) {
  reader all;
  std::size_t number = 0;
  const auto where = [&] {
    return "the cassette " + name + ", line " + std::to_string(number) + ": ";
  };
  try {
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      const auto line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      ++number;
      const auto json = parse_json(line, "the line").value();
      if (number == 1)
        check_header(json.as_object());
      else
        all.take(json.as_object(), number);
    }
    if (number == 0)
      return error{errc::corrupt, "the cassette " + name + " is empty"};
    return all.end();
  } catch (const failure& e) {
    return error{e.code() == errc::unsupported ? e.code() : errc::corrupt,
                 where() + e.error().detail};
  } catch (const std::exception& e) {
    return error{errc::corrupt, where() + e.what()};
  }
}

std::string_view target_of(std::string_view url) {
  const auto host = url.find("://");
  const auto path = url.find_first_of("/?", host == url.npos ? 0 : host + 3);
  return path == url.npos ? "/" : url.substr(path);
}

std::optional<std::string> difference(std::string_view recorded,
                                      std::string_view now) {
  if (recorded == now)
    return std::nullopt;
  const auto a = parse_json(recorded, "recorded");
  const auto b = parse_json(now, "request");
  if (a && b)
    return differ(*a, *b, "");
  const auto as_json = [](std::string_view text) {
    return boost::json::value{text};
  };
  const auto x = as_json(recorded);
  const auto y = as_json(now);
  return said("", &x, &y);
}

} // namespace kestrion::cassette_file
