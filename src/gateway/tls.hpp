// The certificate that the SQL door and the HTTP door show: the catalog's own, so that clients trust all or none.
//
// Each door has one. It is read at start, and again when its file has changed, which is looked at when a connection
// begins: a renewed certificate (SIGHUP, see supervisor/box.hpp) counts for every connection after it, and those that
// are open keep theirs. Files that do not fit together, as they are between two renames, leave what was read before in
// force. Any thread may enter.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::gateway {

// What is spoken inside, as ALPN calls it (https://www.iana.org/assignments/tls-extensiontype-values).
inline constexpr std::string_view kPostgresqlProtocol = "postgresql";
inline constexpr std::string_view kHttpProtocol = "http/1.1";

// A certificate and its key, ready to serve with.
struct TlsIdentity {
    boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
    // For channel binding tls-server-end-point (RFC 5929): the certificate's digest.
    std::string certificate_hash{};
};

class Tls {
  public:
    // nullptr: TLS is off. Errors (configuration): a certificate or key that cannot be read or used.
    static Result<std::unique_ptr<Tls>> load(const config::Settings& settings, std::string_view protocol);

    // As the files are now. Shared, because a connection that begins may outlast a renewal.
    std::shared_ptr<TlsIdentity> identity();

  private:
    struct Files {
        std::string certificate;
        std::string key;
    };
    Tls(Files files, std::string_view protocol);
    Result<std::shared_ptr<TlsIdentity>> read() const;

    const Files files_;
    const std::string protocols_;  // ALPN's list as it goes over the wire
    std::mutex mutex_;
    std::string stamp_;                      // under mutex_: of the files that were read last, whether they fitted
    std::shared_ptr<TlsIdentity> identity_;  // under mutex_
};

}  // namespace boathouse::gateway
