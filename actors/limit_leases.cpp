#include <kestrion/actors/limit_leases.hpp>

#include <kestrion/messages/described.hpp>
#include <kestrion/scheduler/limit_shares.hpp>

#include <algorithm>

namespace kestrion {

namespace {

/// Of one limit, as the store has it.
struct shares_text {
  std::int64_t amount = 0;
  duration linger{};
  std::uint64_t epoch = 0;
  std::map<std::string, limit_shares::slice> slices; ///< By process.
};
BOOST_DESCRIBE_STRUCT(shares_text, (), (amount, linger, epoch, slices))

using all_shares = std::map<std::string, shares_text>; ///< By limit.

constexpr std::string_view shared_name = "limits";

result<all_shares> parse(const std::string& text) {
  if (text.empty())
    return all_shares{};
  const auto json = parse_json(text, "the leases of limits");
  auto out =
    json ? decode_json<all_shares>(*json) : result<all_shares>{json.error()};
  if (!out)
    return error{errc::corrupt, out.error().detail};
  return out;
}

limit_shares restored(const shares_text& x) {
  limit_shares out{x.amount, limit_lease_length, x.linger};
  out.restore(x.slices, x.epoch);
  return out;
}

shares_text stored(const limit_shares& x, duration linger) {
  return {x.amount(), linger, x.epoch(), x.slices()};
}

limit_lease renew_one(all_shares& all, const lease_limits& x,
                      const limit_need& need) {
  auto& text = all[need.limit];
  text.linger = need.linger;
  auto shares = restored(text);
  if (shares.amount() != need.total)
    shares.resize(need.total, x.now);
  const auto kept = x.kept.find(need.limit);
  const auto slice = shares.renew(
    x.process, need.demand,
    need.keeps_to_slice && kept != x.kept.end() ? kept->second : 0, x.now);
  text = stored(shares, need.linger);
  return {
    {need.limit, std::min(slice.amount, slice.target), slice.leased_until},
    slice.epoch};
}

} // namespace

result<std::vector<limit_lease>> renew_leases(event_store& store,
                                              const lease_limits& x) {
  result<std::vector<limit_lease>> out = std::vector<limit_lease>{};
  auto written = store.update_shared(shared_name, [&](const std::string& text) {
    auto all = parse(text);
    if (!all) {
      out = all.error();
      return text;
    }
    for (const auto& need : x.needs)
      out->push_back(renew_one(*all, x, need));
    return encode_json(*all);
  });
  return written ? std::move(out) : written.error();
}

result<void> leave_limits(event_store& store, const std::string& process,
                          timestamp now) {
  result<void> out;
  auto written = store.update_shared(shared_name, [&](const std::string& text) {
    if (text.empty())
      return text; // Nobody shares any.
    auto all = parse(text);
    if (!all) {
      out = all.error();
      return text;
    }
    for (auto& [limit, shares_of] : *all) {
      auto shares = restored(shares_of);
      shares.leave(process, now);
      shares_of = stored(shares, shares_of.linger);
    }
    return encode_json(*all);
  });
  return written ? out : written;
}

} // namespace kestrion
