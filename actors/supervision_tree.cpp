#include <kestrion/actors/supervision_tree.hpp>

#include <kestrion/actors/protocol.hpp>
#include <kestrion/messages/match.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace kestrion {

namespace {

using tree_self = caf::stateful_actor<supervision_tree_state>*;

void start(tree_self self, supervision_tree_state::child& child) {
  child.actor = child.spec.start(self->system());
  self->monitor(child.actor);
}

void start_all(tree_self self) {
  for (auto& child : self->state.children)
    if (std::exchange(child.starts, false) && !child.actor)
      start(self, child);
}

/// One after the other: each may need those that come after it in `to_stop`.
void go_on(tree_self self) {
  auto& st = self->state;
  while (!st.to_stop.empty() && !st.children[st.to_stop.back()].actor)
    st.to_stop.pop_back();
  if (!st.to_stop.empty()) {
    auto& child = st.children[st.to_stop.back()];
    caf::anon_send_exit(child.actor, caf::exit_reason::user_shutdown);
    self->delayed_send(self, child.spec.grace,
                       grace_over{child.actor.address()});
  } else if (st.ends) {
    self->quit(st.reason);
  } else if (st.delay == duration{}) {
    start_all(self);
  } else if (!std::exchange(st.is_starting_later, true)) {
    self->delayed_send(self, st.delay, start_children{});
  }
}

void stop_all(tree_self self, const caf::error& reason) {
  auto& st = self->state;
  const bool is_stopping = !st.to_stop.empty();
  st.ends = true;
  st.reason = reason;
  st.to_stop.clear();
  for (std::size_t i = 0; i < st.children.size(); ++i)
    st.to_stop.push_back(i);
  if (!is_stopping || !st.children[st.to_stop.back()].actor)
    go_on(self);
}

void carry_out(tree_self self, const restart_children& x) {
  auto& st = self->state;
  const bool is_stopping = !st.to_stop.empty();
  for (const auto i : x.children) {
    st.children[i].starts = true;
    st.to_stop.push_back(i);
  }
  std::sort(st.to_stop.begin(), st.to_stop.end());
  st.to_stop.erase(std::unique(st.to_stop.begin(), st.to_stop.end()),
                   st.to_stop.end());
  st.delay = x.delay;
  if (!is_stopping)
    go_on(self);
}

void on_down(tree_self self, const caf::down_msg& down) {
  auto& st = self->state;
  const auto child =
    std::find_if(st.children.begin(), st.children.end(),
                 [&](const auto& x) { return x.actor == down.source; });
  if (child == st.children.end())
    return;
  child->actor = nullptr;
  const auto i = static_cast<std::size_t>(child - st.children.begin());
  const bool was_asked =
    st.ends
    || std::find(st.to_stop.begin(), st.to_stop.end(), i) != st.to_stop.end();
  if (was_asked) {
    go_on(self);
    return;
  }
  std::vector<restart_type> types;
  for (const auto& x : st.children)
    types.push_back(x.spec.restart);
  const bool is_normal = !down.reason || down.reason == caf::exit_reason::normal
                         || down.reason == caf::exit_reason::user_shutdown;
  match(
    on_exit(st.spec, types, st.restarts, i,
            is_normal ? exit_kind::normal : exit_kind::crash, st.now()),
    [](const let_go&) {},
    [&](const restart_children& x) { carry_out(self, x); },
    [&](const escalate& x) {
      stop_all(
        self,
        to_caf({errc::unavailable,
                "the actor \"" + st.children[i].spec.name
                  + "\" ended once more; that makes "
                  + std::to_string(x.restarts) + " restarts within "
                  + std::to_string(st.spec.period.count() / 1'000'000)
                  + " s, of at most " + std::to_string(st.spec.intensity)}));
    });
}

} // namespace

caf::behavior supervision_tree(tree_self self, supervision_spec spec,
                               std::vector<supervised_child> children,
                               std::function<timestamp()> now) {
  auto& st = self->state;
  st.spec = spec;
  st.now = std::move(now);
  for (auto& child : children)
    st.children.push_back({std::move(child), {}, false});
  self->set_down_handler([self](const caf::down_msg& x) { on_down(self, x); });
  self->set_exit_handler(
    [self](const caf::exit_msg& x) { stop_all(self, x.reason); });
  for (auto& child : st.children)
    start(self, child);
  return {
    [self](const start_children&) {
      auto& tree = self->state;
      tree.is_starting_later = false;
      // Else whom we have seen end would live again, and be forgotten; what
      // has to start does so when all have ended.
      if (!tree.ends && tree.to_stop.empty())
        start_all(self);
    },
    [](const meet_supervisor&) { return true; }, // All have been started.
    [self](const which_children&) {
      children_there out;
      for (const auto& child : self->state.children)
        if (child.actor)
          out.children.push_back({child.spec.name, child.actor.address()});
      return out;
    },
    [self](const grace_over& x) {
      for (const auto& child : self->state.children)
        if (child.actor == x.child)
          caf::anon_send_exit(child.actor, caf::exit_reason::kill);
    },
  };
}

} // namespace kestrion
