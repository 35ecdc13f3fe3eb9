#pragma once

#include <kestrion/messages/time.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kestrion {

/// Splits one limit among processes: each gets what it needs as long as nobody
/// else is short of an even share, and what is left is spread evenly, so that a
/// process whose demand grows has something to begin with.
/// @param demands  What each could use; not negative.
/// @returns As many parts, together exactly `amount`.
std::vector<std::int64_t> split_limit(std::int64_t amount,
                                      const std::vector<std::int64_t>& demands);

/// Slices of one limit, leased to processes. Whatever happens, the slices that
/// may be in use are together never more than the limit: a slice shrinks when
/// its process says that it keeps to the new one, or when its lease is over,
/// and only then the others grow.
///
/// It is plain arithmetic: who stores it does each step in one transaction.
/// @par Threading Owner only.
class limit_shares {
public:
  /// One process's part. Once its lease is over it may use nothing more, and
  /// what it used counts until `linger` later.
  struct slice {
    std::int64_t amount = 0; ///< It may use so much, a period.
    std::int64_t target = 0; ///< It should not use more than this.
    std::int64_t demand = 0; ///< What it could use.
    std::uint64_t epoch = 0; ///< Grows whenever its target changes.
    timestamp leased_until{};
    bool operator==(const slice&) const = default;
    BOOST_DESCRIBE_CLASS(slice, (),
                         (amount, target, demand, epoch, leased_until), (), ())
  };

  /// @param linger  So long after its use a server still counts it.
  limit_shares(std::int64_t amount, duration lease, duration linger = {})
    : amount_(amount), lease_(lease), linger_(linger) {}

  /// One that was stored: these slices, and the last epoch.
  void restore(std::map<std::string, slice> slices, std::uint64_t epoch);

  /// A process lives, and could use so much. Splits anew if that changes much.
  /// @param kept  The epoch that it keeps to, from an earlier answer; 0: none.
  /// @returns Its slice. It is over at `leased_until`; until then it may use
  ///          the lesser of amount and target.
  slice renew(const std::string& process, std::int64_t demand,
              std::uint64_t kept, timestamp now);

  /// A process ends and uses nothing more; its slice lingers.
  void leave(const std::string& process, timestamp now);

  /// The limit itself has changed.
  void resize(std::int64_t amount, timestamp now);

  std::int64_t amount() const { return amount_; }
  const std::map<std::string, slice>& slices() const { return slices_; }
  std::uint64_t epoch() const { return epoch_; }

private:
  void expire(timestamp now);
  void split(timestamp now);
  void grow();

  std::int64_t amount_;
  duration lease_;
  duration linger_;
  std::uint64_t epoch_ = 0;
  std::map<std::string, slice> slices_;
};

} // namespace kestrion
