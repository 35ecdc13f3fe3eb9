#include <kestrion/messages/json_text.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <charconv>
#include <cmath>
#include <span>

namespace kestrion {

namespace {

/// Builds the value, like Boost.JSON's own parser, but reads floating point
/// exactly: Boost 1.81 may be off by one in the last place, which canonical
/// JSON and every digest of it would show.
class exact_handler {
public:
  using text = boost::json::string_view;
  using error_code = boost::json::error_code;

  static constexpr std::size_t max_object_size =
    boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size =
    boost::json::string::max_size();

  /// @param small  Where the value is put together, while it is large enough.
  explicit exact_handler(std::span<unsigned char> small)
    : stack_({}, small.data(), small.size()) {
    stack_.reset();
  }

  boost::json::value release() { return stack_.release(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_comment_part(text, error_code&) { return true; }
  bool on_comment(text, error_code&) { return true; }

  bool on_object_end(std::size_t size, error_code&) {
    stack_.push_object(size);
    return true;
  }
  bool on_array_end(std::size_t size, error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(text s, std::size_t, error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_key(text s, std::size_t, error_code&) {
    stack_.push_key(s);
    return true;
  }
  bool on_string_part(text s, std::size_t, error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_string(text s, std::size_t, error_code&) {
    stack_.push_string(s);
    return true;
  }
  bool on_number_part(text s, error_code&) {
    number_.append(s.data(), s.size());
    return true;
  }
  bool on_int64(std::int64_t i, text, error_code&) {
    number_.clear();
    stack_.push_int64(i);
    return true;
  }
  bool on_uint64(std::uint64_t u, text, error_code&) {
    number_.clear();
    stack_.push_uint64(u);
    return true;
  }
  bool on_double(double nearly, text s, error_code& ec) {
    number_.append(s.data(), s.size());
    double exact = 0; // Stays so for what is too small for a double.
    const auto read =
      std::from_chars(number_.data(), number_.data() + number_.size(), exact);
    if (read.ec != std::errc{} && std::abs(nearly) > 1) {
      ec = boost::json::error::exponent_overflow;
      return false;
    }
    number_.clear();
    stack_.push_double(exact);
    return true;
  }
  bool on_bool(bool b, error_code&) {
    stack_.push_bool(b);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }

private:
  boost::json::value_stack stack_;
  std::string number_; ///< What came of a number so far.
};

} // namespace

result<boost::json::value> parse_json(std::string_view text,
                                      std::string_view what) {
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  unsigned char small[2'048]; // Enough for most arguments of tools.
  boost::json::basic_parser<exact_handler> parser{options, std::span{small}};
  boost::system::error_code ec;
  const auto consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && consumed < text.size())
    ec = boost::json::error::extra_data;
  if (ec)
    return error{errc::invalid_argument,
                 std::string{what} + " is no JSON at byte "
                   + std::to_string(consumed) + ": " + ec.message()};
  return parser.handler().release();
}

} // namespace kestrion
