// The certificate that the SQL door shows: the catalog's own, so that clients trust both or neither.
//
// Read once at start; then only read, by any thread.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::gateway {

class Tls {
  public:
    // nullptr: TLS is off. Errors (configuration): a certificate or key that cannot be read or used.
    static Result<std::unique_ptr<Tls>> load(const config::Settings& settings);

    boost::asio::ssl::context& context() { return context_; }
    // For channel binding tls-server-end-point (RFC 5929): the certificate's digest.
    const std::string& certificate_hash() const { return certificate_hash_; }

  private:
    Tls();
    boost::asio::ssl::context context_;
    std::string certificate_hash_;
};

}  // namespace boathouse::gateway
