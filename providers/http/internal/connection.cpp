#include <kestrion/providers/http/internal/connection.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/verify_mode.hpp>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>

#include <sys/socket.h>

namespace kestrion::http_internal {

void connection::secure(asio::ssl::context& context, const std::string& host) {
  tls.emplace(socket, context);
  tls->set_verify_mode(asio::ssl::verify_peer);
  tls->set_verify_callback(asio::ssl::host_name_verification{host});
  boost::system::error_code no_ip;
  asio::ip::make_address(host, no_ip);
  // RFC 6066: addresses are not allowed in SNI.
  if (no_ip
      && SSL_set_tlsext_host_name(tls->native_handle(), host.c_str()) != 1)
    throw boost::system::system_error{
      asio::error::make_error_code(asio::error::invalid_argument)};
}

std::string connection::certificate_problem() {
  const long code =
    tls ? SSL_get_verify_result(tls->native_handle()) : X509_V_OK;
  return code == X509_V_OK ? std::string{}
                           : X509_verify_cert_error_string(code);
}

bool connection::is_quiet() {
  char byte = 0;
  const auto n =
    ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void connection::close() {
  boost::system::error_code ignored; // It is gone either way.
  socket.close(ignored);
}

} // namespace kestrion::http_internal
