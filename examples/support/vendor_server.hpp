#pragma once

#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// A stand-in for the models' vendors, so that an example runs without a key
/// and a test without the internet.
namespace examples {

/// Whose API the client spoke; the path says so.
enum class spoken_api : std::uint8_t { anthropic, openai, ollama };

/// One call of a model, as any of the three APIs words it.
struct vendor_request {
  spoken_api api = spoken_api::anthropic;
  std::string model;
  std::string system;
  std::string last_user_text;                 ///< Of the last user message.
  std::vector<std::string> last_tool_results; ///< Since the model spoke last.
  std::size_t tool_results = 0;               ///< In the whole conversation.
  boost::json::value body;                    ///< All of it, as it came.
};

struct vendor_tool_call {
  std::string name;
  std::string arguments = "{}"; ///< A JSON object, as text.
};

/// What the model is to say.
struct vendor_turn {
  std::string text = {};
  std::vector<vendor_tool_call> tools = {};
  std::int64_t input_tokens = 10;
  std::int64_t output_tokens = 5;
  int status = 200;       ///< Another one makes an error of `text`.
  int retry_after_s = -1; ///< Sent along with an error unless negative.
  bool hang_up = false;   ///< Close the connection instead of an answer.
  /// The answer comes so much later; no thread waits for it.
  std::chrono::milliseconds delay{0};
  /// Between two words of a streamed answer.
  std::chrono::milliseconds pace{0};
};

/// Answers Anthropic's Messages, OpenAI's Chat Completions and Ollama's chat
/// on loopback. Of these, Messages streams, a word at a time, if it is asked
/// to; the others answer in one piece.
class vendor_server {
public:
  /// Called for each request, by several threads at once.
  using script = std::function<vendor_turn(const vendor_request&)>;

  /// Listens on a free port of 127.0.0.1 before it returns.
  /// @throws std::exception if there is none
  explicit vendor_server(script answer, int threads = 2);

  /// Closes its connections and waits for answers that are being made.
  ~vendor_server();
  vendor_server(const vendor_server&) = delete;
  vendor_server& operator=(const vendor_server&) = delete;

  /// "http://127.0.0.1:34567"; the base URL for Claude and Ollama models.
  std::string url() const;

  /// The same for GPT models, whose base URL ends in /v1.
  std::string openai_url() const { return url() + "/v1"; }

  std::size_t requests() const; ///< Answered so far.

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace examples
