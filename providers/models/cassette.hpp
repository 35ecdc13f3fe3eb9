#pragma once

#include <kestrion/providers/http/client.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

/// Recorded conversations with models' servers, to be played back in tests,
/// without a key or a network:
///
///     auto tape = kestrion::replay("tests/checkout.jsonl");
///     auto model = kestrion::anthropic({.model = "claude-sonnet-4-6",
///                                       .http = tape});
///     ... run the agent ...
///     tape->expect_all_used();
///
/// A cassette is a text of JSON lines. It holds no header of a request, and of
/// a response only what the answer means; of the rest, all that is known to be
/// secret is "[removed]": what was sent as authorization, x-api-key, api-key or
/// cookie, wherever it turns up again; parameters of URLs that are named like
/// keys; and what `cassette_options::secrets` names. Read it before you commit
/// it all the same. Bytes that are no UTF-8 become U+FFFD.
namespace kestrion {

struct cassette_options {
  /// Struck out of all that is recorded, and of what is compared with it.
  std::vector<std::string> secrets = {};
  /// Who makes the calls that are recorded; else the shared client.
  http_transport_ptr http = {};
};

/// Takes the place of the HTTP client of one model or of several.
/// @par Threading Any thread.
class cassette : public http_transport {
public:
  /// What was recorded and nobody has asked for, a line each; nothing of a
  /// cassette that records.
  virtual std::vector<std::string> unused() const = 0;

  /// For the end of a test. @throws failure  `refused` if recorded exchanges
  ///   were not asked for, or requests came that were not recorded, naming
  ///   them; `io` if something could not be recorded.
  virtual void expect_all_used() const = 0;
};

using cassette_ptr = std::shared_ptr<cassette>;

/// Makes the calls, and writes each to the file once it has ended. What the
/// file held is gone. @throws failure  `io`
cassette_ptr record(const std::string& file, cassette_options options = {});

/// Answers from the file. A request gets the first answer not yet used whose
/// request was equal: method, path and query, and body, as JSON without regard
/// to the order of members. Else it fails with `refused`, not retryable, and
/// the sentence says where it differs from what was recorded. Streamed answers
/// come in pieces, an event each; nothing takes time.
/// @throws failure  `not_found`, `io`; `corrupt` for a file that is none of
///   ours, with the line; `unsupported` for one of a newer version.
cassette_ptr replay(const std::string& file, cassette_options options = {});

/// `record` if KESTRION_RECORD is 1 in the environment, else `replay`: the same
/// test makes the cassette and lives from it.
cassette_ptr record_or_replay(const std::string& file,
                              cassette_options options = {});

} // namespace kestrion
