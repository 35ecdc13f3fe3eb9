#include <kestrion/tests/support/loopback_server.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <arpa/inet.h>

namespace kestrion::test {

namespace {

struct freeing {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, freeing>;

constexpr long hour = 3600;

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const owned<X509_EXTENSION> extension{
    X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  if (!extension)
    throw std::runtime_error{"no certificate extension " + value};
  X509_add_ext(certificate, extension.get(), -1);
}

bool is_address(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1
         || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

} // namespace

tls_identity make_tls_identity(const std::string& host) {
  const owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  const owned<X509> certificate{X509_new()};
  X509_set_version(certificate.get(), 2); // Which is called 3.
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -hour);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), hour);
  X509_set_pubkey(certificate.get(), key.get());
  auto* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(
    name, "CN", MBSTRING_ASC,
    reinterpret_cast<const unsigned char*>("kestrion test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name,
                (is_address(host) ? "IP:" : "DNS:") + host);
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0)
    throw std::runtime_error{"no certificate for " + host};

  const owned<BIO> certificate_text{BIO_new(BIO_s_mem())};
  const owned<BIO> key_text{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(certificate_text.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0,
                           nullptr, nullptr);
  return {text_of(certificate_text.get()), text_of(key_text.get())};
}

} // namespace kestrion::test
