#include "config/catalog_url.hpp"

#include <boost/url.hpp>

namespace boathouse::config {
namespace {

Error malformed(std::string message) {
    return {.kind = ErrorKind::configuration, .message = std::move(message)};
}

}  // namespace

Result<CatalogUrl> parse_catalog_url(const std::string& text) {
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) {
        return malformed(
            "is not a URL of the form postgresql://user@host:5432/database "
            "(special characters in it are written %40 for @, %3A for :, %2F for /)");
    }
    const boost::urls::url_view& url = *parsed;
    if (url.scheme() != "postgresql" && url.scheme() != "postgres") {
        return malformed("must begin with postgresql://");
    }
    CatalogUrl out{.user = url.user(),
                   .password = Secret(url.password()),
                   .host = url.host_address(),
                   .port = std::string(url.port()),
                   .database = {},
                   .sslmode = {}};
    if (!url.segments().empty()) out.database = *url.segments().begin();
    for (const auto& parameter : url.params()) {
        if (parameter.key == "user") out.user = parameter.value;
        if (parameter.key == "password") out.password = Secret(parameter.value);
        if (parameter.key == "host") out.host = parameter.value;
        if (parameter.key == "port") out.port = parameter.value;
        if (parameter.key == "dbname") out.database = parameter.value;
        if (parameter.key == "sslmode") out.sslmode = parameter.value;
    }
    return out;
}

bool has_password(const std::string& url) {
    const auto parts = parse_catalog_url(url);
    return parts ? !parts->password.empty() : url.find('@') != std::string::npos;
}

}  // namespace boathouse::config
