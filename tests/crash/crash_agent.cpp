#include <kestrion/tests/crash/crash_agent.hpp>

#include <kestrion/providers/tools/worker_pool.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>

namespace kestrion::test {

namespace {

struct step {
  std::string what; ///< "3.0": of the fourth model call the first tool call.
};
BOOST_DESCRIBE_STRUCT(step, (), (what))

/// Which tools the model wants, call by call.
const std::vector<std::vector<std::string>> script{
  {"look"},   {"bump", "bump", "bump"},          {"pay"},           {"deploy"},
  {"charge"}, {"pay", "bump", "charge", "look"}, {"deploy", "pay"},
};

/// Takes up to 4 ms, by `key`: a call is as fast in every life.
void work_for(const std::string& key, const std::stop_token& stop) {
  const std::chrono::microseconds time{std::hash<std::string>{}(key) % 4'000};
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, stop, time, [] { return false; });
}

/// What it says follows from the conversation alone.
model_reply reply_to(const conversation& said) {
  std::size_t step = 0;
  std::string results;
  for (const auto& m : said) {
    step += m->role == role::assistant ? 1 : 0;
    for (const auto& p : m->parts)
      if (const auto* result = std::get_if<tool_result_part>(&p))
        results += (results.empty() ? "" : ", ") + result->content;
  }
  if (step == script.size())
    return says(text_of(*said.front()) + ": " + results);
  std::vector<scripted_call> wanted;
  for (const auto& tool : script[step])
    wanted.push_back({tool, R"({"what":")" + std::to_string(step) + "."
                              + std::to_string(wanted.size()) + "\"}"});
  return calls(std::move(wanted));
}

/// Answers on threads of its own, after a while.
class slow_model final : public model {
public:
  std::string name() const override { return "slow"; }
  std::optional<model_price> price() const override { return std::nullopt; }
  void complete(model_request request, std::stop_token stop,
                model_callback done) override {
    threads_.post([request = std::move(request), stop = std::move(stop),
                   done = std::move(done)] {
      work_for(request.idempotency_key, stop);
      done(reply_to(request.conversation));
    });
  }

private:
  worker_pool threads_{8};
};

} // namespace

void effects_file::note(const effect_line& line) const {
  const int file =
    ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const auto text = line.tool + " " + line.key + " " + line.what + "\n";
  const auto written = ::write(file, text.data(), text.size());
  ::close(file);
  if (written != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("could not note an effect in " + path_.string());
}

std::vector<effect_line> effects_file::lines() const {
  std::vector<effect_line> out;
  std::ifstream in(path_);
  for (effect_line x; in >> x.tool >> x.key >> x.what;)
    out.push_back(x);
  return out;
}

bool effects_file::has(const std::string& key) const {
  for (const auto& line : lines())
    if (line.key == key)
      return true;
  return false;
}

std::string crash_tool_result(const std::string& tool,
                              const std::string& what) {
  return tool + " " + what + " done";
}

agent crash_agent(const effects_file& effects) {
  agent a("worker");
  a.model(std::make_shared<slow_model>());
  const auto add = [&](const std::string& name, auto... options) {
    a.tool(
      name, "Has an effect.",
      [effects, name](const step& s, const tool_context& c) {
        work_for(c.idempotency_key + "before", c.stop);
        effects.note({name, c.idempotency_key, s.what});
        work_for(c.idempotency_key + "after", c.stop);
        return crash_tool_result(name, s.what);
      },
      options...);
  };
  const auto probe =
    [effects](const step& s,
              const tool_context& c) -> std::optional<std::string> {
    if (!effects.has(c.idempotency_key))
      return std::nullopt;
    return crash_tool_result("charge", s.what);
  };
  add("look", effect_contract::pure);
  add("bump", effect_contract::idempotent);
  add("pay", effect_contract::once);
  add("deploy", requires_approval()); // `once`, as gated tools are.
  add("charge", probe_with{probe});
  return a;
}

} // namespace kestrion::test
