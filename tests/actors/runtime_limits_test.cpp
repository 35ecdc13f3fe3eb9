/// Limits as a program sees them: the runtime with its own threads.

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/http_calls.hpp>

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace kestrion::test {

namespace runtime_limits_test {

/// Answers nobody before it is opened.
class closed_model final : public model {
public:
  std::string name() const override { return "closed"; }
  std::optional<model_price> price() const override { return {}; }
  void complete(model_request, std::stop_token, model_callback done) override {
    {
      const std::lock_guard lock{mutex_};
      if (!is_open_) {
        waiting_.push_back(std::move(done));
        return;
      }
    }
    done(says("seen"));
  }
  void open() {
    std::vector<model_callback> waiting;
    {
      const std::lock_guard lock{mutex_};
      is_open_ = true;
      waiting.swap(waiting_);
    }
    for (const auto& done : waiting)
      done(says("seen"));
  }

private:
  std::mutex mutex_;
  bool is_open_ = false;
  std::vector<model_callback> waiting_;
};

/// Until it waits for its permit; what starts a run does not wait for that.
call_waiting until_waiting(runtime& rt, const run_id& id) {
  const auto end = std::chrono::steady_clock::now() + hang;
  while (std::chrono::steady_clock::now() < end) {
    if (auto why = rt.waiting(id))
      return *why;
    std::this_thread::yield();
  }
  throw std::runtime_error{"it never waits"};
}

std::string metrics_of(const runtime& rt) {
  http_client client;
  http_request request;
  request.method = "GET";
  request.url =
    "http://127.0.0.1:" + std::to_string(rt.metrics_port()) + "/metrics";
  request.timeout = hang;
  return response_of(call(client, std::move(request))).body;
}

} // namespace runtime_limits_test

BOOST_AUTO_TEST_SUITE(runtime_limits_test)

using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(a_run_that_waits_for_a_limit_is_shown_as_throttled) {
  const auto m = std::make_shared<closed_model>();
  agent a{"worker"};
  a.model(m);
  runtime rt{{.store = "memory:",
              .limits = {rate_limit{}.concurrent_calls(1)},
              .metrics = "127.0.0.1:0"},
             {a}};
  const auto first = rt.start("worker", "Go on.");
  while (rt.figures().granted == 0)
    std::this_thread::yield();
  const auto second = rt.start("worker", "Go on.");
  BOOST_TEST(until_waiting(rt, second.id()).reason == "concurrency");

  const auto shown = second.result();
  BOOST_TEST((shown.status == run_status::throttled));
  BOOST_TEST(shown.reason.find("\"concurrency\"") != std::string::npos);
  BOOST_TEST((rt.trace(second.id()).result.status == run_status::throttled));
  BOOST_TEST((first.result().status == run_status::running));
  BOOST_TEST((rt.list().at(1).status == run_status::running)); // As stored.

  const auto text = metrics_of(rt);
  for (const auto* line :
       {"kestrion_model_calls_granted_total 1\n",
        "kestrion_model_calls_waiting 1\n",
        "kestrion_limit_in_flight{kind=\"concurrency\",limit=\"concurrency\"} "
        "1\n",
        "kestrion_model_call_wait_seconds_count{lane=\"batch\"} 1\n"})
    BOOST_TEST(text.find(line) != std::string::npos, line << "not in\n"
                                                          << text);
  m->open();
  BOOST_TEST(second.wait().output == "seen");
  BOOST_TEST(first.wait().output == "seen");
  BOOST_TEST(!rt.waiting(second.id()));
  BOOST_TEST((second.result().status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_limit_may_be_changed_while_calls_wait_for_it) {
  const auto m = std::make_shared<closed_model>();
  agent a{"worker"};
  a.model(m);
  runtime rt{{.store = "memory:", .limits = {rate_limit{}.concurrent_calls(1)}},
             {a}};
  rt.start("worker", "Go on.");
  while (rt.figures().granted == 0)
    std::this_thread::yield();
  const auto second = rt.start("worker", "Go on.");
  until_waiting(rt, second.id());
  rt.declare(rate_limit{}.concurrent_calls(2));
  BOOST_TEST(rt.figures().granted == 2u);
  BOOST_TEST(rt.metrics_port() == 0);
  m->open();
  BOOST_TEST(second.wait().output == "seen");
}

BOOST_AUTO_TEST_CASE(limits_that_make_no_sense_are_refused_at_the_start) {
  agent a{"worker"};
  a.model(scripted({}));
  const auto code = [&](runtime_options options) {
    options.store = "memory:";
    try {
      const runtime rt{options, {a}};
    } catch (const failure& e) {
      return e.code();
    }
    return errc::ok;
  };
  BOOST_TEST((code({}) == errc::ok));
  BOOST_TEST((code({.limits = {rate_limit{}.requests_per_minute(0)}})
              == errc::invalid_argument));
  BOOST_TEST(
    (code({.tenant_weights = {{"a", 0.0}}}) == errc::invalid_argument));
  BOOST_TEST((code({.metrics = "nowhere"}) == errc::invalid_argument));
  runtime rt{{.store = "memory:"}, {a}};
  BOOST_CHECK_THROW(rt.declare(rate_limit{}.concurrent_calls(-1)), failure);
  BOOST_CHECK_THROW(rt.start("worker", "Go on.", {.priority = 101}), failure);
}

BOOST_AUTO_TEST_CASE(a_run_that_used_up_its_tokens_asks_for_more) {
  agent worker{"worker"};
  worker.tool("look", "Looks.", [] { return 3; })
    .model(scripted({calls({{"look", "{}"}}, {}, {.input_tokens = 1'200}),
                     says("done", {.input_tokens = 100})}));
  worker.limits({.tokens_max = 1'000})
    .asks_for_more(requires_approval("finance").within(24h));
  runtime rt{{.store = "memory:"}, {worker}};
  const auto run = rt.start("worker", "Go on.");
  const auto held = run.wait();
  BOOST_TEST((held.status == run_status::waiting_on_human));
  BOOST_TEST(held.reason.starts_with(
    "the run's limit is reached: tokens_max of 1000 (used: 1200); "
    "raise_limits (l1) waits for approval by finance until "));
  const auto waiting = rt.approvals();
  BOOST_REQUIRE(waiting.size() == 1u);
  BOOST_TEST(waiting.front().tool == "raise_limits");
  BOOST_TEST(waiting.front().arguments == R"({"tokens_max":2200})");
  rt.approve(run.id(), {.by = "ana",
                        .role = "finance",
                        .digest = waiting.front().digest,
                        .arguments = R"({"tokens_max":1500})"});
  BOOST_TEST((run.wait().status == run_status::completed));
  BOOST_TEST(to_text(rt.trace(run.id())).find("limits_raised")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_rate_limit_names_what_it_covers) {
  const auto specs = rate_limit("anthropic")
                       .model("claude-sonnet-4-6")
                       .requests_per_minute(10)
                       .refilled_continuously()
                       .input_tokens_per_minute(20)
                       .specs();
  BOOST_REQUIRE(specs.size() == 2u);
  BOOST_TEST(specs[0].name == "anthropic claude-sonnet-4-6 requests");
  BOOST_TEST(specs[1].name == "anthropic claude-sonnet-4-6 input tokens");
  BOOST_TEST((specs[0].shape == limit_shape::fixed_window));
  BOOST_TEST((specs[1].shape == limit_shape::continuous));
  BOOST_TEST(
    (specs[1].covers == route_matcher{"anthropic", "claude-sonnet-4-6", ""}));
  BOOST_TEST(specs[1].amount == 20);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
