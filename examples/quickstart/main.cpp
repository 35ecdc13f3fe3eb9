#include "choose_model.hpp"
#include "stand_in.hpp"

#include <kestrion/kestrion.hpp>

#include <iostream>

struct cluster_state {
  std::string deployment;
  int replicas = 0;
};
BOOST_DESCRIBE_STRUCT(cluster_state, (), (deployment, replicas))

struct manifest {
  std::string yaml;
};
BOOST_DESCRIBE_STRUCT(manifest, (), (yaml))

int main() try {
  namespace k = kestrion;

  auto ops = k::agent("ops")
               .model(examples::choose_model(stand_in))
               .system("You look after the checkout cluster.")
               .tool("get_cluster_state", "Reads the replica counts.",
                     [] {
                       return cluster_state{"checkout-api", 2};
                     })
               .tool(
                 "apply_manifest", "Applies a manifest to the cluster.",
                 [](const manifest& m) { return "applied:\n" + m.yaml; },
                 k::requires_approval("engineer"));

  k::runtime rt{{.store = "sqlite:///agent_runs.db"}, {ops}};
  auto run = rt.start("ops", "Check checkout-api and scale it up by one if it "
                             "is under 3 replicas.");
  auto result = run.wait(); // Until it is done, or needs somebody.
  std::cout << to_string(result.status) << ": " << result.reason << '\n';

  // Days later, in another process, after a crash: it would be the same line.
  rt.approve(run.id(),
             {.tool = "apply_manifest", .by = "ana", .role = "engineer"});
  result = run.wait();
  std::cout << to_string(result.status) << ": " << result.output << "\n\n"
            << to_text(rt.trace(run.id()));
  return result.status == k::run_status::completed ? 0 : 1;
} catch (const kestrion::failure& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
