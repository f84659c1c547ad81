#include "proxy/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/check.h"

namespace zap {

namespace {

/// OpenSSL's last error in words; forgets all of them.
std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason ? reason : "unreadable";
}

Error bad_file(const char* what, const std::filesystem::path& file, const std::string& why) {
  return {ErrorCode::kUnauthorized, std::string(what) + " " + file.string() + ": " + why};
}

std::optional<PublicKey> ed25519_key(const EVP_PKEY* key) {
  PublicKey raw;
  std::size_t size = raw.bytes.size();
  if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) return std::nullopt;
  if (EVP_PKEY_get_raw_public_key(key, raw.bytes.data(), &size) != 1) return std::nullopt;
  return raw;
}

}  // namespace

void TlsSessionDelete::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void TlsContext::Delete::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext> TlsContext::load(const std::filesystem::path& certificate,
                                    const std::filesystem::path& private_key,
                                    const std::filesystem::path& authority, const PublicKey& own) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_method()));
  SSL_CTX* const ctx = context.context_.get();
  ZAP_CHECK(ctx != nullptr, "OpenSSL gives no context: " << last_error());
  SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
  // AES-128-GCM costs least where the processor has AES instructions, and is enough.
  SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(ctx, 1);
  // A node's certificate serves it as client and as server alike.
  SSL_CTX_set_purpose(ctx, X509_PURPOSE_ANY);

  if (SSL_CTX_use_certificate_file(ctx, certificate.c_str(), SSL_FILETYPE_PEM) != 1) {
    return bad_file("certificate", certificate, last_error());
  }
  if (ed25519_key(X509_get0_pubkey(SSL_CTX_get0_certificate(ctx))) != own) {
    return bad_file("certificate", certificate,
                    "its key is not this node's public_key under consensus.nodes");
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return bad_file("private key", private_key, last_error());
  }
  if (SSL_CTX_load_verify_file(ctx, authority.c_str()) != 1) {
    return bad_file("authority", authority, last_error());
  }
  return context;
}

TlsSession TlsContext::session() const { return TlsSession(SSL_new(context_.get())); }

Handshake handshake_of(const ssl_st* session) {
  if (SSL_is_init_finished(session)) return Handshake::kDone;
  return SSL_get_state(session) == TLS_ST_BEFORE ? Handshake::kNothing : Handshake::kUnderWay;
}

std::optional<PublicKey> peer_key(ssl_st* session) {
  return ed25519_key(X509_get0_pubkey(SSL_get0_peer_certificate(session)));
}

std::size_t write_to_tls(ssl_st& session, std::string_view bytes) {
  ERR_clear_error();
  std::size_t taken = 0;
  return SSL_write_ex(&session, bytes.data(), bytes.size(), &taken) == 1 ? taken : 0;
}

std::string describe_tls_failure(ssl_st* session, unsigned long code) {
  const char* const reason = ERR_reason_error_string(code);
  std::string text = reason ? reason : "TLS failed";
  if (const long verified = SSL_get_verify_result(session); verified != X509_V_OK) {
    text += std::string(": ") + X509_verify_cert_error_string(verified);
  }
  return text;
}

}  // namespace zap
