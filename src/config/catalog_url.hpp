// The parts of postgresql://user:password@host:port/database?parameters
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS), percent-decoded.
//
// libpq connects with the URL itself; the parts are for what people are shown and for telling whether it is private.
// One host: libpq's lists of hosts are not supported.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace boathouse::config {

struct CatalogUrl {
    std::string user;  // empty: not given
    Secret password;
    std::string host;  // empty: not given
    std::string port;
    std::string database;
    std::string sslmode;
};

// The error's message says what is wrong without repeating the URL, which may hold a password.
Result<CatalogUrl> parse_catalog_url(const std::string& url);

// Whether the text holds a password, or may: a malformed one with an '@' does.
bool has_password(const std::string& url);

}  // namespace boathouse::config
