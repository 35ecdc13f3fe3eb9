#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <kestrion/providers/models/model.hpp>

/// Models without a vendor, for tests, examples and dry runs.
namespace kestrion {

/// Plays back outcomes in order and remembers what it was asked. Answers inside
/// `complete` or `stream`, on the caller's thread; a stream shows the reply
/// word by word first. A call beyond the script fails with `refused`, not
/// retryable.
/// @par Threading Any thread; concurrent calls take outcomes in some order.
class scripted_model final : public model {
public:
  explicit scripted_model(std::vector<model_outcome> script,
                          std::string name = "scripted",
                          std::optional<model_price> price = {});

  std::string name() const override { return name_; }
  std::optional<model_price> price() const override { return price_; }
  void complete(model_request request, std::stop_token stop,
                model_callback done) override;
  void stream(model_request request, std::stop_token stop, delta_sink on_delta,
              model_callback done) override;

  /// What it was asked so far, calls beyond the script included.
  std::vector<model_request> requests() const;

  /// Outcomes that nobody has taken yet.
  std::size_t remaining() const;

  /// The same, a line each: "reply 2: calls add".
  std::vector<std::string> unused() const;

  /// For the end of a test. @throws failure  `refused`, naming the outcomes
  ///   that nobody has taken, or how many calls came beyond the script.
  void expect_all_used() const;

private:
  model_outcome next(model_request request);

  const std::string name_;
  const std::optional<model_price> price_;
  const std::vector<model_outcome> script_;
  mutable std::mutex mutex_;
  std::vector<model_request> requests_; ///< Its length is the next index.
};

/// `auto m = scripted({calls({{"add", R"({"a":1})"}}), says("2")});`
std::shared_ptr<scripted_model> scripted(std::vector<model_outcome> script,
                                         std::string name = "scripted");

/// A final answer.
model_reply says(std::string text, token_usage usage = {});

struct scripted_call {
  std::string tool;
  std::string arguments = "{}"; ///< As the model writes them; need not be JSON.
  std::string vendor_id = {};
};

/// A wish for tools, in this order, with `text` before it unless empty.
model_reply calls(std::vector<scripted_call> tools, std::string text = {},
                  token_usage usage = {});

model_failure fails(errc code, bool retryable = false,
                    std::optional<duration> retry_after = {});

/// A model that is a function. It is called on the caller's thread, by several
/// threads at once if several call; an exception becomes a failure.
using model_function = std::function<model_outcome(const model_request&)>;
model_ptr function_model(model_function answer, std::string name = "function");

/// Answers each turn of a conversation with the reply of its number, as often
/// as that is asked: a script that a crash does not use up. A turn beyond the
/// script fails with `refused`.
model_ptr model_by_turn(std::vector<model_reply> replies,
                        std::string name = "scripted");

} // namespace kestrion
