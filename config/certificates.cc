#include "config/certificates.h"

#include <arpa/inet.h>
#include <openssl/rand.h>

#include <ctime>

#include "config/file.h"
#include "config/openssl.h"

namespace zap::config {
namespace {

constexpr long kSecondsPerDay = 86'400;
constexpr WallTime kNanosecondsPerSecond = 1'000'000'000;

Error failed(std::string_view what) {
  return {ErrorCode::kIo, "OpenSSL could not make the certificate's " + std::string(what)};
}

Result<openssl::Certificate> parse(std::string_view pem, const std::string& name) {
  const openssl::Bio bio = openssl::reading(pem);
  openssl::Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    return Error{ErrorCode::kInvalid,
                 name + " holds no certificate in PEM, as `zap-sidecar init` writes"};
  }
  return certificate;
}

Result<openssl::Certificate> load(const std::filesystem::path& file) {
  auto contents = read_file(file);
  if (!contents) return contents.error();
  return parse(*contents, file.string());
}

bool set_name(X509_NAME* name, std::string_view common_name) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

bool extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const openssl::Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool is_ip(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

std::string alternative_names(const NodeIdentity& node) {
  std::string names = "DNS:" + node.node_id;
  for (const std::string& host : node.hosts) names += (is_ip(host) ? ",IP:" : ",DNS:") + host;
  return names;
}

/// What both kinds share. Starts a day early: clocks differ.
Result<openssl::Certificate> blank(std::string_view common_name, EVP_PKEY* public_key, int days) {
  openssl::Certificate certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !set_serial(certificate.get())) {
    return failed("number");
  }
  if (!set_name(X509_get_subject_name(certificate.get()), common_name)) return failed("name");
  if (!X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kSecondsPerDay) ||
      !X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kSecondsPerDay)) {
    return failed("time");
  }
  if (X509_set_pubkey(certificate.get(), public_key) != 1) return failed("key");
  return certificate;
}

Result<std::string> sign(openssl::Certificate certificate, const PrivateKey& key) {
  const openssl::Key pair = openssl::key_of(key);
  if (X509_sign(certificate.get(), pair.get(), nullptr) == 0) return failed("signature");
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate.get()) != 1) return failed("text");
  return openssl::written(bio);
}

std::string text_of(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

std::string ip_text(const ASN1_STRING* value) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6;
  inet_ntop(family, ASN1_STRING_get0_data(value), text, sizeof text);
  return text;
}

/// The alternative names without the node's own.
std::vector<std::string> hosts_of(const X509* certificate, const std::string& node_id) {
  std::vector<std::string> hosts;
  const openssl::Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_IPADD) hosts.push_back(ip_text(name->d.iPAddress));
    if (name->type == GEN_DNS && text_of(name->d.dNSName) != node_id) {
      hosts.push_back(text_of(name->d.dNSName));
    }
  }
  return hosts;
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<WallTime>(timegm(&parts)) * kNanosecondsPerSecond;
}

}  // namespace

Result<std::string> make_authority(const PrivateKey& key, const ClusterId& cluster) {
  const openssl::Key pair = openssl::key_of(key);
  auto certificate = blank("zap cluster " + cluster.substr(0, 32), pair.get(), kAuthorityDays);
  if (!certificate) return certificate.error();
  X509* x509 = certificate->get();
  if (X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1 ||
      !extend(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(x509, x509, NID_key_usage, "critical,keyCertSign") ||
      !extend(x509, x509, NID_subject_key_identifier, "hash")) {
    return failed("extensions");
  }
  return sign(std::move(*certificate), key);
}

Result<std::string> issue_certificate(const PrivateKey& authority_key,
                                      std::string_view authority_pem, const NodeIdentity& node) {
  auto authority = parse(authority_pem, "cluster-ca.crt");
  if (!authority) return authority.error();
  const openssl::Key pair = openssl::key_of(authority_key);
  if (X509_check_private_key(authority->get(), pair.get()) != 1) {
    return Error{ErrorCode::kInvalid, "cluster-ca.key is not the key of cluster-ca.crt"};
  }
  const openssl::Key public_key(EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, node.public_key.bytes.data(), node.public_key.bytes.size()));
  auto certificate = blank(node.node_id, public_key.get(), kNodeDays);
  if (!certificate) return certificate.error();
  X509* x509 = certificate->get();
  if (X509_set_issuer_name(x509, X509_get_subject_name(authority->get())) != 1 ||
      !extend(x509, authority->get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(x509, authority->get(), NID_key_usage, "critical,digitalSignature") ||
      !extend(x509, authority->get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      !extend(x509, authority->get(), NID_authority_key_identifier, "keyid") ||
      !extend(x509, authority->get(), NID_subject_alt_name, alternative_names(node))) {
    return failed("extensions");
  }
  return sign(std::move(*certificate), authority_key);
}

Result<CertificateFacts> load_certificate(const std::filesystem::path& file) {
  auto certificate = load(file);
  if (!certificate) return certificate.error();
  CertificateFacts facts;

  const X509_NAME* subject = X509_get_subject_name(certificate->get());
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place >= 0) {
    facts.node_id = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
  }
  facts.hosts = hosts_of(certificate->get(), facts.node_id);
  const EVP_PKEY* key = X509_get0_pubkey(certificate->get());
  std::size_t size = facts.public_key.bytes.size();
  if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, facts.public_key.bytes.data(), &size) != 1) {
    return Error{ErrorCode::kInvalid, file.string() + " holds no Ed25519 key"};
  }
  facts.not_before = wall_time(X509_get0_notBefore(certificate->get()));
  facts.not_after = wall_time(X509_get0_notAfter(certificate->get()));
  return facts;
}

Result<void> verify_certificate(const std::filesystem::path& certificate,
                                const std::filesystem::path& authority) {
  auto signed_one = load(certificate);
  if (!signed_one) return signed_one.error();
  auto signer = load(authority);
  if (!signer) return signer.error();
  EVP_PKEY* key = X509_get0_pubkey(signer->get());
  if (!key || X509_verify(signed_one->get(), key) != 1) {
    return Error{ErrorCode::kUnauthorized,
                 certificate.string() + " was not signed by " + authority.string()};
  }
  return {};
}

}  // namespace zap::config
