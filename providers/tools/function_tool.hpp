#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/described.hpp>
#include <kestrion/messages/json_schema.hpp>
#include <kestrion/providers/tools/tool.hpp>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// A C++ function as a tool: its parameter's type is the schema.
namespace kestrion {

/// A tool, ready to be given to an agent.
struct tool {
  tool_spec spec;
  tool_code code;
};

// -- options ------------------------------------------------------------------

/// People have to agree before a call runs.
///
///     requires_approval()                       anyone
///     requires_approval("engineer")             somebody in that role
///     requires_approval("engineer", "lead")     one of each, in any order
///     requires_approval("lead").within(4h)      or the run expires
class requires_approval {
public:
  template <std::convertible_to<std::string>... Roles>
  explicit requires_approval(Roles&&... roles)
    : gate_{true, {std::string{std::forward<Roles>(roles)}...}, {}} {}

  /// @param deadline  Counted from the request on, whatever happens since.
  requires_approval& within(duration deadline) {
    gate_.deadline = deadline;
    return *this;
  }

  const approval_gate& gate() const { return gate_; }

private:
  approval_gate gate_;
};

/// How long an attempt may take. After the last the model gets an error result.
struct timeout {
  duration limit;
};

/// A call that fails is tried again, under the same idempotency key. Not for
/// the contract `once`.
///
///     attempts(3)                       waits 0.5 s, 1 s, 2 s … up to 30 s
///     attempts(5).backoff(100ms, 2s)    100 ms, 200 ms … up to 2 s
///
/// Each wait is up to a quarter shorter, at random. What the tool throws is
/// tried again, but for a `permanent_failure`; an `error` that it returns (or
/// throws as a `failure`) is if it `may_pass`.
class attempts {
public:
  /// @param max  The first included.
  explicit attempts(std::int64_t max) { rule_.attempts_max = max; }

  attempts& backoff(duration first, duration max) {
    rule_.backoff_first = first;
    rule_.backoff_max = max;
    return *this;
  }

  const retry_rule& rule() const { return rule_; }

private:
  retry_rule rule_;
};

/// So many calls of the tool at once, over all runs of its agent in a runtime.
/// The others wait in order, without a thread; their timeout has not begun.
struct concurrency {
  std::int64_t max;
};

/// Makes the contract `probe`: `f` gets what the tool gets and returns an
/// optional of what the tool returns: the result of a call that happened, or
/// nothing if it did not.
template <class F>
struct probe_with {
  F f;
};
template <class F>
probe_with(F) -> probe_with<F>;

namespace detail {

template <class F>
struct signature : signature<decltype(&F::operator())> {};
template <class R, class... Args>
struct signature<R (*)(Args...)> {
  using arguments = std::tuple<std::remove_cvref_t<Args>...>;
};
template <class C, class R, class... Args>
struct signature<R (C::*)(Args...)> : signature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct signature<R (C::*)(Args...) const> : signature<R (*)(Args...)> {};
template <class R, class... Args>
struct signature<R (*)(Args...) noexcept> : signature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct signature<R (C::*)(Args...) noexcept> : signature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct signature<R (C::*)(Args...) const noexcept> : signature<R (*)(Args...)> {
};

/// A tool without parameters.
struct no_parameters {};
BOOST_DESCRIBE_STRUCT(no_parameters, (), ())

template <class Tuple>
struct parameters {
  static_assert(std::tuple_size_v<Tuple> == 100,
                "a tool takes nothing, a described struct, a const "
                "kestrion::tool_context&, or a described struct and a const "
                "kestrion::tool_context&");
};
template <>
struct parameters<std::tuple<>> {
  using type = no_parameters;
};
template <>
struct parameters<std::tuple<tool_context>> {
  using type = no_parameters;
};
template <class T>
struct parameters<std::tuple<T>> {
  using type = T;
};
template <class T>
struct parameters<std::tuple<T, tool_context>> {
  using type = T;
};

template <class F>
using parameters_t =
  typename parameters<typename signature<std::decay_t<F>>::arguments>::type;

template <class F, class T>
decltype(auto) invoke_tool(F& f, T& parameters, const tool_context& context) {
  if constexpr (std::invocable<F&, T&, const tool_context&>)
    return f(parameters, context);
  else if constexpr (std::invocable<F&, T&>)
    return f(parameters);
  else if constexpr (std::invocable<F&, const tool_context&>)
    return f(context);
  else
    return f();
}

/// Text in front is the result's content, the rest comes with it.
inline tool_outcome to_outcome_of(std::vector<content_part> parts) {
  tool_outcome out;
  auto rest = parts.begin();
  if (rest != parts.end())
    if (auto* text = std::get_if<text_part>(&*rest)) {
      out.content = std::move(text->text);
      ++rest;
    }
  out.attachments.assign(std::move_iterator(rest),
                         std::move_iterator(parts.end()));
  return out;
}

/// What a tool returned, as its result: text as it is, parts of content as
/// such, all else as JSON.
template <class R>
tool_outcome to_outcome(R&& value) {
  using type = std::remove_cvref_t<R>;
  if constexpr (std::same_as<type, tool_outcome>)
    return std::forward<R>(value);
  else if constexpr (std::convertible_to<R, std::string>)
    return {std::string{std::forward<R>(value)}, {}};
  else if constexpr (std::same_as<type, std::vector<content_part>>)
    return to_outcome_of(std::forward<R>(value));
  else if constexpr (std::convertible_to<R, content_part>)
    return to_outcome_of({content_part{std::forward<R>(value)}});
  else if constexpr (requires { value.has_error(); })
    return value ? to_outcome(*std::forward<R>(value))
                 : tool_outcome{value.error().detail, tool_failure::failed,
                                !may_pass(value.error().code)};
  else
    return {encode_json<type>(value), {}};
}

template <class F>
tool_function to_function(F f) {
  using type = parameters_t<F>;
  return [f =
            std::move(f)](const std::string& arguments,
                          const tool_context& context) mutable -> tool_outcome {
    auto json = parse_json(arguments, "the arguments");
    if (!json)
      return {json.error().detail, tool_failure::invalid_arguments};
    auto decoded = decode_json<type>(*json);
    if (!decoded)
      return {decoded.error().detail, tool_failure::invalid_arguments};
    if constexpr (std::is_void_v<decltype(invoke_tool(f, *decoded, context))>) {
      invoke_tool(f, *decoded, context);
      return {"done", {}};
    } else {
      return to_outcome(invoke_tool(f, *decoded, context));
    }
  };
}

/// The check of an agent's output as a tool: fails with the reason for a no.
template <class T, class F>
tool_function to_output_check(F check) {
  static_assert(
    requires(F & f, const T& value) {
      { f(value) } -> std::convertible_to<result<void>>;
    },
    "the check of an output takes a const T& and returns a "
    "kestrion::result<void>");
  return [check =
            std::move(check)](const std::string& document,
                              const tool_context&) mutable -> tool_outcome {
    const auto json = parse_json(document, "the answer");
    if (!json)
      return {json.error().detail, tool_failure::failed};
    const auto decoded = decode_json<T>(*json);
    if (!decoded)
      return {decoded.error().detail, tool_failure::failed};
    const result<void> verdict = check(*decoded);
    return verdict ? tool_outcome{}
                   : tool_outcome{verdict.error().detail, tool_failure::failed};
  };
}

inline void apply(tool& t, const requires_approval& option) {
  t.spec.gate = option.gate();
}
inline void apply(tool& t, effect_contract option) {
  t.spec.contract = option;
}
inline void apply(tool& t, timeout option) {
  t.spec.timeout = option.limit;
}
inline void apply(tool& t, const attempts& option) {
  t.spec.retry = option.rule();
}
inline void apply(tool& t, concurrency option) {
  t.spec.concurrency_max = option.max;
}
template <class F>
void apply(tool& t, probe_with<F> option) {
  t.spec.contract = effect_contract::probe;
  t.code.probe =
    [f = std::move(option.f)](
      const std::string& arguments,
      const tool_context& context) mutable -> std::optional<tool_outcome> {
    auto json = parse_json(arguments, "the arguments");
    if (!json)
      throw failure(json.error());
    auto decoded = decode_json<parameters_t<F>>(*json).value();
    auto happened = invoke_tool(f, decoded, context);
    if (!happened)
      return std::nullopt;
    return to_outcome(std::move(*happened));
  };
}

} // namespace detail

/// Makes a tool of a function, a lambda or a function object.
///
/// It takes nothing or one described struct, and if it wants to a `const
/// tool_context&` behind it; it returns text, anything that can be written as
/// JSON, an `image_part` or a `document_part`, a list of `content_part`,
/// `void`, a `result` of these or a `tool_outcome`. It runs on several threads
/// at once if the model asks so; what it throws is an error result.
/// @param options  `requires_approval`, `timeout`, `attempts`, `concurrency`,
///   `probe_with`, or an `effect_contract`; without one, a gated tool is
///   `once`, others are `idempotent`.
template <class F, class... Options>
tool make_tool(std::string name, std::string description, F f,
               Options... options) {
  tool t;
  t.spec.name = std::move(name);
  t.spec.description = std::move(description);
  t.spec.input_schema = json_schema<detail::parameters_t<F>>();
  t.code.run = detail::to_function(std::move(f));
  constexpr bool has_contract =
    ((std::same_as<Options,
                   effect_contract> || detail::is_a<Options, probe_with>)
     || ...);
  if constexpr (!has_contract
                && (std::same_as<Options, requires_approval> || ...))
    t.spec.contract = effect_contract::once;
  (detail::apply(t, std::move(options)), ...);
  return t;
}

} // namespace kestrion
