#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/described.hpp>

#include <iostream>

struct deployment {
  std::string name;
  int replicas = 0;
};
BOOST_DESCRIBE_STRUCT(deployment, (), (name, replicas))

int main() {
  kestrion::agent_definition agent;
  agent.name = "ops";
  kestrion::tool_spec scale;
  scale.name = "scale";
  scale.input_schema = kestrion::json_schema<deployment>();
  agent.tools.push_back(scale);
  const auto prepared = kestrion::prepare(agent);
  if (!prepared) {
    std::cerr << prepared.error().detail << '\n';
    return 1;
  }
  std::cout << prepared->name << ' ' << prepared->digest << '\n';
}
