#include <libpq-fe.h>

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/log.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {
namespace {

// sun_path of a Unix socket's address holds 108 bytes with its terminator.
constexpr std::size_t kSocketPathBytesMax = 107;

// A value of a conninfo string: 'quoted', with ' and \ escaped.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
std::string conninfo_value(const std::string& value) {
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

// FNV-1a, 64 bits: the same name for the same directory in every process, and no need to resist an adversary.
std::uint64_t path_hash(const std::string& path) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const unsigned char c : path) hash = (hash ^ c) * 1099511628211ULL;
    return hash;
}

struct OptionsCloser {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// Puts one keyword of the URL into its field.
void set_parameter(Endpoint& endpoint, const std::string& keyword, const std::string& value) {
    if (keyword == "host") {
        endpoint.host = value;
    } else if (keyword == "port") {
        endpoint.port = value;
    } else if (keyword == "user") {
        endpoint.user = value;
    } else if (keyword == "dbname") {
        endpoint.database = value;
    } else if (keyword == "password") {
        endpoint.password = Secret(value);
    } else if (keyword == "sslmode") {
        endpoint.sslmode = value;
    } else if (keyword == "application_name") {
        endpoint.application_name = value;
    } else {
        endpoint.parameters[keyword] = value;
    }
}

// libpq's complaint may quote any part of the URL, the password too, so it is not passed on.
Error malformed_url() {
    return {
        ErrorKind::configuration, "The external catalog's URL is not one that PostgreSQL's client library understands",
        "Write postgresql://user:password@host:port/database?sslmode=require, with characters such as @ / : % in the "
        "password percent-encoded (@ is %40).",
        ""};
}

Result<Endpoint> parse_url(const std::string& url) {
    const std::unique_ptr<PQconninfoOption, OptionsCloser> options(PQconninfoParse(url.c_str(), nullptr));
    if (!options) return malformed_url();
    Endpoint endpoint;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) set_parameter(endpoint, option->keyword, option->val);
    }
    if (endpoint.port.empty()) endpoint.port = "5432";
    if (endpoint.host.empty() || endpoint.user.empty() || endpoint.database.empty()) {
        return Error{ErrorKind::configuration, "The external catalog's URL lacks a host, a user or a database",
                     "Write postgresql://user:password@host:port/database.", ""};
    }
    return endpoint;
}

}  // namespace

std::string Endpoint::conninfo() const {
    std::string text;
    const auto append = [&text](const std::string& keyword, const std::string& value) {
        if (value.empty()) return;
        if (!text.empty()) text += ' ';
        text += keyword + '=' + conninfo_value(value);
    };
    append("host", host);
    append("port", port);
    append("user", user);
    append("dbname", database);
    append("sslmode", sslmode);
    append("application_name", application_name);
    for (const auto& [keyword, value] : parameters) append(keyword, value);
    return text;
}

Result<Endpoint> box_endpoint(const config::Settings& settings) {
    if (!settings.catalog.empty()) return parse_url(settings.catalog.reveal());
    Endpoint endpoint;
    endpoint.host = socket_dir(settings);
    endpoint.port = std::to_string(settings.catalog_port);
    endpoint.user = "boathouse";
    endpoint.database = settings.postgres_db;
    return endpoint;
}

Result<Endpoint> lake_endpoint(const config::Settings& settings) {
    auto endpoint = box_endpoint(settings);
    if (endpoint && settings.catalog.empty()) endpoint->user = "boathouse_engine";
    return endpoint;
}

std::string mirror_database(const config::Settings& settings) {
    return settings.postgres_db == "lake" ? "lake_mirror" : "lake";
}

Endpoint mirror_endpoint(const config::Settings& settings) {
    Endpoint endpoint;
    endpoint.host = socket_dir(settings);
    endpoint.port = std::to_string(settings.catalog_port);
    endpoint.user = "boathouse_mirror";
    endpoint.database = mirror_database(settings);
    return endpoint;
}

std::string socket_dir(const config::Settings& settings) {
    std::string dir = std::filesystem::absolute(config::run_dir(settings)).lexically_normal().string();
    const std::string socket = "/.s.PGSQL." + std::to_string(settings.catalog_port);
    if (dir.size() + socket.size() <= kSocketPathBytesMax) return dir;
    return fmt::format("/tmp/boathouse-{:016x}", path_hash(dir));
}

}  // namespace boathouse::catalog
