#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace kestrion::test {

/// A private key and a certificate for it that is its own authority, as PEM.
struct tls_identity {
  std::string certificate;
  std::string key;
};

/// Makes one, valid now, for a DNS name or an IP address.
tls_identity make_tls_identity(const std::string& host);

/// One accepted connection; a real socket, with blocking calls.
class loopback_connection {
public:
  virtual ~loopback_connection() = default;

  /// Counts the server's connections, from 0.
  virtual std::size_t index() const = 0;

  /// Reads one HTTP request, head and body; empty if the peer closed first.
  virtual std::string read_request() = 0;

  /// Sends bytes as they are; false if the peer is gone.
  virtual bool write(std::string_view bytes) = 0;

  /// Returns when the peer closes, or when the server is destroyed.
  virtual void wait_for_close() = 0;

  /// Closes the server's half only: the peer sees the end, and may still send.
  virtual void half_close() = 0;

  /// Closes with a reset instead of an orderly end.
  virtual void reset() = 0;
};

/// Does anything a server may do, right or wrong: a handler plays each
/// connection on a thread of its own, and the connection ends with it.
class loopback_server {
public:
  using handler = std::function<void(loopback_connection&)>;

  explicit loopback_server(handler play);
  /// Speaks TLS: the handler sees what is inside. A failed handshake ends the
  /// connection before the handler.
  loopback_server(handler play, const tls_identity& identity);

  /// Ends all connections and waits for their handlers.
  ~loopback_server();
  loopback_server(const loopback_server&) = delete;
  loopback_server& operator=(const loopback_server&) = delete;

  std::uint16_t port() const;
  /// "http://127.0.0.1:34567", or https.
  std::string url() const;
  /// The same under another name.
  std::string url(const std::string& host) const;

  /// Accepted so far.
  std::size_t connections() const;
  /// Blocks until that many were accepted.
  void wait_for_connections(std::size_t count) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// A 200 with this body; it keeps the connection open.
std::string ok_response(std::string_view body,
                        std::string_view extra_headers = {});

/// Lets the process have `count` sockets at once. Returns false if it may not.
bool allow_open_files(std::size_t count);

} // namespace kestrion::test
