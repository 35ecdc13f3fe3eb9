#pragma once

#include <kestrion/kestrion.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

/// What the runs of `chaos` do, and what became of it.
namespace bench {

/// What tools did to the world, as the world knows it.
/// @par Threading All members from any thread.
class ledger {
public:
  /// What a tool is for. @throws std::runtime_error  If somebody settled it: an
  /// operator was told that it had not happened, so it may not happen later.
  void act(const std::string& key);

  /// Whether it happened; if not, it never will.
  bool settle(const std::string& key);

  /// How often each happened.
  std::unordered_map<std::string, int> times() const;

private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, int> times_;
  std::unordered_set<std::string> settled_;
};

inline constexpr std::size_t chaos_payload_bytes = 100;

/// The tool whose calls may not happen twice.
inline constexpr const char* once_tool = "publish";

/// Its model answers at once: `rounds` times with a call of `look_up`, which is
/// idempotent, and one of `publish`, which is `once`, to run at the same time;
/// then with text.
kestrion::agent chaos_agent(int rounds, std::shared_ptr<ledger> world);

} // namespace bench
