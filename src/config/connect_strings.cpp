#include "config/connect_strings.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "config/catalog_url.hpp"

namespace boathouse::config {
namespace {

// A value of a conninfo string: quoted where libpq needs it
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE).
std::string conninfo_value(const std::string& value) {
    const bool plain = !value.empty() && value.find_first_of(" \t\r\n\f\v'\\") == std::string::npos;
    if (plain) return value;
    std::string out = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

// `text` with every `quote` replaced, between single quotes.
std::string quoted(const std::string& text, const char* quote) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += quote;
        } else {
            out += c;
        }
    }
    return out + "'";
}

std::string sql_literal(const std::string& text) {
    return quoted(text, "''");
}
std::string shell_word(const std::string& text) {
    return quoted(text, "'\\''");
}

std::string url_part(const std::string& text) {
    return boost::urls::encode(text, boost::urls::unreserved_chars);
}

// An IPv6 address stands in brackets in a URL (RFC 3986, section 3.2.2).
std::string url_host(const std::string& host) {
    return host.find(':') == std::string::npos ? url_part(host) : "[" + host + "]";
}

// The catalog as a client names it.
struct Target {
    std::string host;
    std::string port;
    std::string user;
    std::string database;
    std::string sslmode;
};

Target target_of(const Settings& settings, const std::string& host) {
    const auto url = parse_catalog_url(settings.catalog.reveal());
    if (settings.catalog.empty() || !url) {
        return {host, std::to_string(settings.catalog_port), settings.postgres_user, settings.postgres_db, ""};
    }
    const bool own_role = !settings.postgres_password.empty() || url->user.empty();
    return {url->host, url->port.empty() ? "5432" : url->port, own_role ? settings.postgres_user : url->user,
            url->database, url->sslmode};
}

}  // namespace

std::string local_host(const Settings& settings) {
    const std::string& listen = settings.listen;
    const bool here = is_loopback(listen) || listen == "0.0.0.0" || listen == "::";
    return here ? "localhost" : listen;
}

Result<Secret> client_password(const Settings& settings) {
    if (!settings.postgres_password.empty()) return settings.postgres_password;
    if (!settings.catalog.empty()) {
        const auto url = parse_catalog_url(settings.catalog.reveal());
        return url ? url->password : Secret();
    }
    const std::string path = generated_password_file(settings);
    std::ifstream stream(path);
    if (!stream.is_open()) {
        if (errno == ENOENT) return Secret();
        return Error{.kind = ErrorKind::permission,
                     .message = path + " cannot be read: " + std::strerror(errno),
                     .hint = "Ask as the user that the box runs as, or as root."};
    }
    std::string password;
    std::getline(stream, password);
    return Secret(password);
}

std::string attach_statement(const Settings& settings, const std::string& host, const Secret& password) {
    const Target target = target_of(settings, host);
    std::string conninfo = "ducklake:postgres:host=" + conninfo_value(target.host) +
                           " port=" + conninfo_value(target.port) + " user=" + conninfo_value(target.user);
    if (!password.empty()) conninfo += " password=" + conninfo_value(password.reveal());
    conninfo += " dbname=" + conninfo_value(target.database);
    if (!target.sslmode.empty()) conninfo += " sslmode=" + conninfo_value(target.sslmode);
    return "ATTACH " + sql_literal(conninfo) + " AS " + kLakeName + ";";
}

std::string psql_command(const Settings& settings, const std::string& host) {
    return "psql " + shell_word("postgresql://" + url_part(settings.postgres_user) + "@" + url_host(host) + ":" +
                                std::to_string(settings.sql_port) + "/" + kLakeName);
}

std::string health_url(const Settings& settings, const std::string& host) {
    return "http://" + url_host(host) + ":" + std::to_string(settings.http_port) + "/readyz";
}

}  // namespace boathouse::config
