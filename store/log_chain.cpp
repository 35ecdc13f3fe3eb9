#include <kestrion/store/log_chain.hpp>

#include <array>
#include <string>

namespace kestrion {

namespace {

void add_number(sha256& hash, std::uint64_t value) {
  std::array<char, 8> bytes{};
  for (auto i = bytes.size(); i-- > 0; value >>= 8U)
    bytes[i] = static_cast<char>(value & 0xffU);
  hash.add({bytes.data(), bytes.size()});
}

} // namespace

sha256_digest log_chain::start(const run_id& run) {
  return hash_.add("kestrion log 1 ").add(run.str()).finish();
}

sha256_digest log_chain::next(const sha256_digest& before, std::uint64_t seq,
                              timestamp at, std::string_view type,
                              std::string_view data) {
  hash_.add({reinterpret_cast<const char*>(before.data()), before.size()});
  add_number(hash_, seq);
  add_number(hash_, static_cast<std::uint64_t>(at.time_since_epoch().count()));
  add_number(hash_, type.size());
  return hash_.add(type).add(data).finish();
}

log_check check_log(const run_id& run, std::span<const stored_event> events,
                    const sha256_digest& head) {
  log_chain chain;
  log_check out{run, 0, {}, {}};
  auto hash = chain.start(run);
  for (const auto& e : events) {
    if (e.seq != out.events + 1) {
      out.flaw = {out.events + 1, "is missing"};
      break;
    }
    const auto expected = chain.next(hash, e.seq, e.at, e.type, e.data);
    if (expected != e.hash) {
      out.flaw = {e.seq, "does not fit its hash"};
      break;
    }
    hash = expected;
    ++out.events;
  }
  out.head = to_hex(hash);
  if (!out.flaw && hash != head)
    out.flaw = {out.events, "is not what the log ended with"};
  return out;
}

} // namespace kestrion
