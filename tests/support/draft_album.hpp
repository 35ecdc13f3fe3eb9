#pragma once

#include <kestrion/actors/drafts.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace kestrion {

inline std::ostream& boost_test_print_type(std::ostream& out, draft_state s) {
  switch (s) {
    case draft_state::growing: return out << "growing";
    case draft_state::completed: return out << "completed";
    case draft_state::dropped: break;
  }
  return out << "dropped";
}

} // namespace kestrion

namespace kestrion::test {

/// What one who watches drafts has seen, put together. The test fails if a
/// piece is missing, comes twice or out of turn.
class draft_album {
public:
  struct picture {
    std::string call;
    std::int64_t attempt = 1;
    std::uint64_t number = 0;
    draft_state state = draft_state::growing;
    std::map<std::pair<delta_kind, std::size_t>, std::string> blocks = {};
    std::size_t updates = 0;

    std::string text() const {
      std::string out;
      for (const auto& [key, text] : blocks)
        if (key.first == delta_kind::text)
          out += text;
      return out;
    }
  };

  void add(const draft_update& x) {
    if (drafts_.empty() || drafts_.back().number != x.draft) {
      // The one before has ended, and was seen to.
      BOOST_REQUIRE(drafts_.empty()
                    || (drafts_.back().state != draft_state::growing
                        && drafts_.back().number < x.draft));
      drafts_.push_back({x.call, x.attempt, x.draft});
    }
    auto& draft = drafts_.back();
    BOOST_REQUIRE_EQUAL(draft.state, draft_state::growing);
    BOOST_REQUIRE_EQUAL(draft.call, x.call);
    BOOST_REQUIRE_EQUAL(draft.attempt, x.attempt);
    BOOST_REQUIRE(draft.updates == 0 || x.state != draft_state::growing
                  || !x.pieces.empty());
    for (const auto& piece : x.pieces) {
      auto& block = draft.blocks[{piece.kind, piece.index}];
      BOOST_REQUIRE(!piece.text.empty());
      BOOST_REQUIRE_EQUAL(piece.offset, block.size());
      block += piece.text;
    }
    draft.state = x.state;
    ++draft.updates;
  }

  const std::vector<picture>& drafts() const { return drafts_; }

  /// "m1 1 completed: hello", a line a draft.
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& x : drafts_) {
      std::ostringstream line;
      line << x.call << ' ' << x.attempt << ' ';
      boost_test_print_type(line, x.state);
      line << ": " << x.text();
      out.push_back(line.str());
    }
    return out;
  }

private:
  std::vector<picture> drafts_;
};

} // namespace kestrion::test
