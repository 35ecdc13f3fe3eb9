/// Prints what the model says while it says it. Other runs of the process cost
/// nothing for that, and the log is the same as without.

#include "choose_model.hpp"
#include "stand_in.hpp"

#include <kestrion/kestrion.hpp>

#include <iostream>

struct place_of_wind {
  std::string place;
};
BOOST_DESCRIBE_STRUCT(place_of_wind, (), (place))

int main() try {
  namespace k = kestrion;

  auto poet = k::agent("poet")
                .model(examples::choose_model(stand_in))
                .system("You are a poet. You look at the wind first, then you "
                        "say two lines.")
                .tool(
                  "wind", "How the wind blows at a place.",
                  [](const place_of_wind& x) { return "west, at " + x.place; },
                  k::effect_contract::pure)
                .streams();
  k::runtime rt{{.store = "memory:"}, {poet}};
  const auto run = rt.start("poet", "A kestrel over the cliff.");

  // As long as the run is at work. Each piece comes once, whenever one begins.
  for (const auto& x : run.drafts()) {
    if (x.state == k::draft_state::dropped)
      std::cout << "\n(It begins anew.)\n"; // An attempt failed.
    std::cout << text_of(x) << std::flush;
    if (x.state == k::draft_state::completed)
      std::cout << '\n'; // Now it is an event, in the log.
  }

  const auto result = run.wait();
  std::cout << to_string(result.status) << '\n';
  return result.status == k::run_status::completed ? 0 : 1;
} catch (const kestrion::failure& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
