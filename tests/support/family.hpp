#pragma once

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/ask.hpp>
#include <kestrion/tests/support/patient_model.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace kestrion {

inline std::ostream& boost_test_print_type(std::ostream& out, run_status s) {
  return out << to_string(s);
}

} // namespace kestrion

namespace kestrion::test {

inline constexpr auto noon = timestamp{std::chrono::hours{500'004}};

/// What it says follows from how often it spoke, so it may forget and wake.
inline model_ptr by_turn(std::vector<model_outcome> replies) {
  return function_model(
    [replies = std::move(replies)](const model_request& r) -> model_outcome {
      const auto turn =
        std::count_if(r.conversation.begin(), r.conversation.end(),
                      [](const auto& m) { return m->role == role::assistant; });
      return replies.at(static_cast<std::size_t>(turn));
    });
}

inline scripted_call ask_scout(const std::string& prompt = "Look.") {
  return {"scout", R"({"prompt":")" + prompt + "\"}"};
}

inline agent lead(model_ptr m) {
  agent a{"lead"};
  a.model(std::move(m)).subagent("scout", "Looks around.", "scout");
  return a;
}

/// Asks the scout once, then says what it is done with.
inline agent plain_lead() {
  return lead(by_turn({calls({ask_scout()}), says("done")}));
}

inline agent scout(model_ptr m) {
  agent a{"scout"};
  a.model(std::move(m))
    .tool(
      "gated", "A gated tool.", [] { return "ran"; },
      requires_approval{"engineer"}.within(std::chrono::hours{1}))
    .can_ask();
  return a;
}

/// Wants its gated tool once.
inline agent gated_scout() {
  return scout(by_turn({calls({{"gated"}}), says("seen")}));
}

/// Runs in a process of a test, and what a test wants to know of them.
struct family {
  std::shared_ptr<event_store> disk = open_store("memory:").value();
  std::optional<sim> process;

  void boot(const std::vector<agent>& agents, std::uint32_t seed = 1,
            timestamp at = noon) {
    process.reset();
    process.emplace(disk, agents, seed, at);
  }

  run_id start(const std::string& name = "lead") {
    return ask<run_receipt>(*process,
                            start_request{name, user_message("Go on."), {}})
      .value()
      .run;
  }

  result<run_receipt> tell(const run_id& id, command c) {
    return ask<run_receipt>(*process, run_command{id, std::move(c)});
  }

  run_result wait(const run_id& id, wait_until until = wait_until::at_rest) {
    return ask<run_result>(*process, await_run{id, until}).value();
  }

  run_status status(const run_id& id) { return disk->find(id).value()->status; }

  /// The run that this call of `parent` is.
  run_id child(const run_id& parent, const char* call = "c1.0") {
    return child_id(parent, call);
  }

  /// What the run was last told by its tools.
  std::vector<tool_result_part> results(const run_id& id) {
    std::vector<tool_result_part> out;
    for (const auto& m : process->load(id).conversation)
      if (m->role == role::tool) {
        out.clear();
        for (const auto& each : m->parts)
          out.push_back(std::get<tool_result_part>(each));
      }
    return out;
  }

  /// The parent went on after a child that gave no answer.
  void check_error_result(const run_id& id, const std::string& what) {
    process->settle();
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
    BOOST_REQUIRE_EQUAL(results(id).size(), 1u);
    BOOST_CHECK(results(id)[0].is_error);
    BOOST_CHECK_MESSAGE(results(id)[0].content.find(what) != std::string::npos,
                        results(id)[0].content);
  }
};

inline const approve_call yes{{.by = "ana", .role = "engineer"}, {}};
inline const cancel_run stop{"ana", "enough", {}};

/// What a scout that has just been asked is answered with.
inline model_reply echo(const patient_model::call& c) {
  return says("seen: " + text_of(*c.request.conversation.back()));
}

} // namespace kestrion::test
