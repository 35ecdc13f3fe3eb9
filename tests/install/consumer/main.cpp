#include <kestrion/kestrion.hpp>

#include <iostream>

struct deployment {
  std::string name;
  int replicas = 0;
};
BOOST_DESCRIBE_STRUCT(deployment, (), (name, replicas))

int main() try {
  namespace k = kestrion;
  auto ops =
    k::agent("ops")
      .model(
        k::scripted({k::calls({{"scale", R"({"name":"api","replicas":3})"}}),
                     k::says("api now has 3 replicas.")}))
      .tool("scale", "Sets the number of replicas.", [](const deployment& d) {
        return d.name + ": " + std::to_string(d.replicas);
      });
  k::runtime rt{{.store = "memory:"}, {ops}};
  const auto result = rt.start("ops", "Scale the api to 3.").wait();
  std::cout << result.output << '\n';
  return result.output == "api now has 3 replicas." ? 0 : 1;
} catch (const kestrion::failure& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
