/// What Kestrion adds to one call of a model, over a blocking client of Beast
/// that posts the same bytes to the same server and reads the answer, looking
/// at nothing: in the layer `model`, the request is written from the
/// conversation, goes through the HTTP client, and the answer is parsed; in
/// the layer `run`, all that is a whole run, from its start to its end, in a
/// store that is memory. One after the other, and with 1,000 under way, of a
/// model that thinks for a second, and of one that doesn't.

#include "bare_client.hpp"
#include "closed_loop.hpp"
#include "figures.hpp"
#include "model_server.hpp"

#include <kestrion/actors/agent_code.hpp>
#include <kestrion/caf.hpp>
#include <kestrion/kestrion.hpp>
#include <kestrion/providers/models/anthropic_wire.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <exception>
#include <thread>

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct load {
  std::size_t in_flight = 1;
  std::size_t rounds = 1; ///< In each turn.
  milliseconds thinks{0};
  int turns = 1;

  std::chrono::microseconds spread() const { return thinks; }
};

constexpr load loads[] = {
  {1, 2'000, 0ms, 5}, {1'000, 5, 1'000ms, 3}, {1'000, 10, 0ms, 5}};

struct measured {
  std::vector<double> took; ///< Microseconds, of each call.
  double cpu = 0;           ///< Seconds, of this process.
  double lasted = 0;        ///< Seconds.

  void add(const measured& more) {
    took.insert(took.end(), more.took.begin(), more.took.end());
    cpu += more.cpu;
    lasted += more.lasted;
  }
};

template <class F>
measured measure(F&& f) {
  measured out;
  const auto cpu = bench::cpu_time();
  out.lasted = bench::time_of([&] { out.took = f(); }).count();
  out.cpu = (bench::cpu_time() - cpu).count();
  return out;
}

// -- what is asked ------------------------------------------------------------

struct place {
  std::string city;
};
BOOST_DESCRIBE_STRUCT(place, (), (city))

kestrion::agent make_agent(const kestrion::model_ptr& model) {
  kestrion::agent out{"clerk"};
  out.model(model)
    .system("You look things up. Say what you found, in a few sentences, and "
            "say so if you found nothing.")
    .tool("look_up", "Looks up what is known of a city.",
          [](const place& p) { return p.city; });
  return out;
}

constexpr auto prompt = "What is known of Jena?";

kestrion::anthropic_options options_for(const std::string& url) {
  return {.model = "claude-opus-5-5", .base_url = url, .api_key = "none"};
}

kestrion::model_request request_of(const kestrion::agent& agent) {
  return {
    agent.build().value()->definition,
    {std::make_shared<const kestrion::message>(kestrion::user_message(prompt))},
    "run_1/m1"};
}

// -- the three that are compared ----------------------------------------------

measured measure_bare(const bench::model_server& server, const load& l,
                      const std::string& body) {
  const auto target =
    server.path_of(server.whole_url(l.thinks)) + "/v1/messages";
  std::vector<std::vector<double>> took(l.in_flight);
  const auto one = [&](std::size_t i) {
    bench::bare_client client{server.port()};
    std::this_thread::sleep_for(l.spread() * i / l.in_flight);
    for (std::size_t n = 0; n < l.rounds; ++n)
      took[i].push_back(
        bench::time_of([&] { client.post(target, body); }).count() * 1e6);
  };
  return measure([&] {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < l.in_flight; ++i)
      threads.emplace_back(one, i);
    for (auto& t : threads)
      t.join();
    std::vector<double> all;
    for (const auto& some : took)
      all.insert(all.end(), some.begin(), some.end());
    return all;
  });
}

measured measure_model(const kestrion::model_ptr& model,
                       const kestrion::model_request& request, const load& l) {
  const auto call = [&](const std::function<void()>& done) {
    model->complete(request, {}, [done](const kestrion::model_outcome& said) {
      if (!std::holds_alternative<kestrion::model_reply>(said))
        std::terminate();
      done();
    });
  };
  return measure([&] {
    return bench::in_closed_loop(call, l.in_flight, l.rounds, l.spread());
  });
}

measured measure_runs(kestrion::runtime& rt, const load& l) {
  const auto front = kestrion::front_of(rt);
  auto& system = caf::actor_cast<caf::actor>(front).home_system();
  const auto call = [&](const std::function<void()>& done) {
    system.spawn([=](caf::event_based_actor* self) {
      const kestrion::start_request start{
        "clerk", kestrion::user_message(prompt), {}};
      self->request(front, caf::infinite, kestrion::run_to_end{start})
        .then(
          [done](const kestrion::run_result& r) {
            if (r.status != kestrion::run_status::completed)
              std::terminate();
            done();
          },
          [](const caf::error&) { std::terminate(); });
    });
  };
  return measure([&] {
    return bench::in_closed_loop(call, l.in_flight, l.rounds, l.spread());
  });
}

// -- figures ------------------------------------------------------------------

void print(const char* layer, const load& l, const measured& ours,
           const measured& ceiling) {
  const auto at = [](const measured& m, double percent) {
    return bench::rounded(bench::percentile(m.took, percent), 0);
  };
  const auto rate = [](const measured& m) {
    return bench::rounded(static_cast<double>(m.took.size()) / m.lasted, 0);
  };
  const auto cpu = [](const measured& m) {
    return bench::rounded(m.cpu / static_cast<double>(m.took.size()) * 1e6, 1);
  };
  bench::print({{"bench", "model_call_overhead"},
                {"layer", layer},
                {"in_flight", l.in_flight},
                {"thinks_ms", l.thinks.count()},
                {"calls", ours.took.size()},
                {"p50_us", at(ours, 50)},
                {"p99_us", at(ours, 99)},
                {"ceiling_p50_us", at(ceiling, 50)},
                {"ceiling_p99_us", at(ceiling, 99)},
                {"added_p50_us", at(ours, 50) - at(ceiling, 50)},
                {"added_p99_us", at(ours, 99) - at(ceiling, 99)},
                {"calls_per_s", rate(ours)},
                {"ceiling_calls_per_s", rate(ceiling)},
                {"cpu_us_per_call", cpu(ours)},
                {"ceiling_cpu_us_per_call", cpu(ceiling)}});
}

void measure_load(const load& l) {
  const bench::model_server server;
  const auto options = options_for(server.whole_url(l.thinks));
  const auto model = kestrion::anthropic(options);
  const auto agent = make_agent(model);
  const auto request = request_of(agent);
  const auto body = kestrion::anthropic_wire::to_wire(request, options).value();
  kestrion::runtime rt{{.store = "memory:"}, {agent}};
  measured bare;
  measured models;
  measured runs;
  for (int turn = 0; turn < l.turns; ++turn) {
    bare.add(measure_bare(server, l, body));
    models.add(measure_model(model, request, l));
    runs.add(measure_runs(rt, l));
  }
  print("model", l, models, bare);
  print("run", l, runs, bare);
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("model_call_overhead", [&] {
    if (bench::serve_models(argc, argv))
      return;
    bench::need_descriptors(4'000);
    for (const auto& l : loads)
      measure_load(l);
  });
}
