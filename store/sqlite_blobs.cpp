#include <kestrion/store/sqlite_blobs.hpp>

#include <kestrion/messages/digest.hpp>
#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/payloads.hpp>

#include <utility>

namespace kestrion {

result<sqlite_blobs> sqlite_blobs::prepare(sqlite_connection& db) {
  auto get = db.prepare("SELECT bytes FROM blobs WHERE hash = ?");
  if (!get)
    return get.error();
  sqlite_blobs out;
  out.get_ = std::move(*get);
  return out;
}

result<std::string> sqlite_blobs::get(std::string_view hash) {
  get_.start(hash);
  const auto found = get_.step();
  if (!found)
    return found.error();
  if (!*found)
    return no_blob(hash);
  std::string bytes{get_.text(0)};
  get_.reset();
  if (sha256_hex(bytes) != hash)
    return error{errc::corrupt,
                 "the blob \"" + std::string{hash} + "\" has other bytes"};
  return bytes;
}

result<std::string> sqlite_blobs::whole_text(std::string_view text) {
  return put_payloads_in(text,
                         [this](std::string_view hash) { return get(hash); });
}

result<std::string>
sqlite_blobs::whole_data(std::string_view data,
                         const std::optional<std::string>& hashes) {
  if (!hashes)
    return std::string{data};
  if (data == whole_reference(*hashes))
    return get(*hashes);
  std::string used;
  auto whole = put_payloads_in(data, [&](std::string_view hash) {
    used += (used.empty() ? "" : " ") + std::string{hash};
    return get(hash);
  });
  if (whole && used != *hashes)
    return error{errc::corrupt, "it refers to the blobs \"" + used
                                  + "\"; expected \"" + *hashes + "\""};
  return whole;
}

} // namespace kestrion
