// proxy/net/tls.h - mutual TLS 1.3 between peers: OpenSSL behind one door.
//
// Both sides show a certificate of the cluster's authority. That alone says "some node of this
// cluster"; which one follows from the certificate's Ed25519 key, compared with the public keys of
// the membership. No host names are involved.
//
// Threads: a TlsContext from any, a session from its stream's loop.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"
#include "proxy/net/stream.h"

struct ssl_ctx_st;

namespace zap {

class TlsContext {
 public:
  /// Reads PEM files. An error names the file and what is wrong with it; also where the key is
  /// not the certificate's, is not Ed25519, or is not `own`.
  static Result<TlsContext> load(const std::filesystem::path& certificate,
                                 const std::filesystem::path& private_key,
                                 const std::filesystem::path& authority, const PublicKey& own);

  /// For one connection, on either side of it.
  TlsSession session() const;

 private:
  struct Delete {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  std::unique_ptr<ssl_ctx_st, Delete> context_;
};

/// How far the other side has come in showing who it is.
enum class Handshake { kNothing, kUnderWay, kDone };
Handshake handshake_of(const ssl_st* session);

/// The Ed25519 key in the certificate that the other side proved to hold. Nothing where the
/// handshake is not done, or the certificate has a key of another kind.
std::optional<PublicKey> peer_key(ssl_st* session);

/// How many bytes an established session took at once. Those that it did not take must be offered
/// again, wherever they lie by then, and no fewer.
std::size_t write_to_tls(ssl_st& session, std::string_view bytes);

/// A failed handshake or connection in words: `code` is OpenSSL's.
std::string describe_tls_failure(ssl_st* session, unsigned long code);

}  // namespace zap
