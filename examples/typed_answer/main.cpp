#include "choose_model.hpp"
#include "stand_in.hpp"

#include <kestrion/kestrion.hpp>

#include <iostream>
#include <set>

/// An agent whose answer is a value, not text.
enum class urgency { low, high };
BOOST_DESCRIBE_ENUM(urgency, low, high)

struct ticket {
  std::string team;
  ::urgency urgency = urgency::low;
  std::optional<std::string> duplicate_of;
};
BOOST_DESCRIBE_STRUCT(ticket, (), (team, urgency, duplicate_of))

int main() try {
  namespace k = kestrion;
  const std::set<std::string> teams{"payments", "shipping"};

  auto triage =
    k::agent("triage")
      .model(examples::choose_model(stand_in))
      .system("You sort complaints: payments or shipping, low or high.")
      .output<ticket>([teams](const ticket& t) -> k::result<void> {
        if (!teams.contains(t.team))
          return k::error{k::errc::invalid_argument,
                          "there is no team " + t.team};
        return {};
      });

  k::runtime rt{{.store = "sqlite:///tickets.db"}, {triage}};
  auto run = rt.start("triage", "I was charged twice!");
  const auto answer = run.wait_until_ended().output_as<ticket>();

  std::cout << "for " << answer.team
            << (answer.urgency == urgency::high ? ", at once" : "") << "\n\n"
            << to_text(rt.trace(run.id()));
  return 0;
} catch (const kestrion::failure& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
