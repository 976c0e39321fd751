#include "catalog/box_database.hpp"

#include <optional>

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

struct Existing {
    bool is_ours = false;
    bool is_invalid = false;  // its creation or its drop was cut short; it takes no connections
    bool is_closed = false;   // it is not known yet whether others may connect
};

Result<std::optional<Existing>> inspect(Connection& server, const std::string& name, const std::string& owner) {
    // A limit of -2 marks a database that can only be dropped: https://www.postgresql.org/docs/release/15.4/
    auto rows = server.query(
        "SELECT pg_catalog.pg_get_userbyid(datdba) = $2, datconnlimit = -2, datconnlimit = 0 "
        "FROM pg_catalog.pg_database WHERE datname = $1",
        {name, owner});
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<Existing>();
    const Row& row = rows->front();
    return std::optional<Existing>({.is_ours = row[0] == "t", .is_invalid = row[1] == "t", .is_closed = row[2] == "t"});
}

Error foreign_database(const std::string& name, const std::string& owner) {
    return {ErrorKind::conflict,
            fmt::format("the catalog's PostgreSQL holds a database \"{}\" that does not belong to {}", name, owner),
            "The box keeps what is its own in a database of that name: rename the one that is there.", ""};
}

Error not_allowed(const Connection& server, const std::string& name, const std::string& owner, const Error& refusal) {
    return {ErrorKind::permission,
            fmt::format("the external catalog has no database \"{}\", and role \"{}\" may not create it", name, owner),
            fmt::format("Let an administrator run: CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0.",
                        server.identifier(name), server.identifier(owner)),
            refusal.message};
}

// A new database is open to everybody until the second statement. The limit of 0 connections covers that moment, and
// marks a database that a killed box has left in it.
Status create(Connection& server, const std::string& name, const std::string& owner) {
    return server.execute(
        fmt::format("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0 CONNECTION LIMIT 0",
                    server.identifier(name), server.identifier(owner)));
}

Status close_to_others(Connection& server, const std::string& name) {
    return server.execute(fmt::format("REVOKE ALL ON DATABASE {0} FROM PUBLIC; ALTER DATABASE {0} CONNECTION LIMIT -1",
                                      server.identifier(name)));
}

Status prepare(Connection& server, const std::string& name, const std::string& owner) {
    auto existing = inspect(server, name, owner);
    if (!existing) return existing.error();
    if (*existing && !(*existing)->is_ours) return foreign_database(name, owner);
    if (*existing && (*existing)->is_invalid) {
        if (auto dropped = server.execute("DROP DATABASE " + server.identifier(name)); !dropped) return dropped;
        existing->reset();
    }
    if (!*existing) {
        if (auto created = create(server, name, owner); !created) {
            return created.error().kind == ErrorKind::permission ? not_allowed(server, name, owner, created.error())
                                                                 : created;
        }
    } else if (!(*existing)->is_closed) {
        return {};
    }
    return close_to_others(server, name);
}

}  // namespace

std::string box_database(const config::Settings& settings) {
    // PostgreSQL cuts names there: https://www.postgresql.org/docs/15/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
    constexpr std::size_t kNameBytesMax = 63;
    const auto endpoint = box_endpoint(settings);
    return ("boathouse_" + (endpoint ? endpoint->database : settings.postgres_db)).substr(0, kNameBytesMax);
}

Result<Endpoint> box_database_endpoint(const config::Settings& settings) {
    auto endpoint = lake_endpoint(settings);
    if (endpoint) endpoint->database = box_database(settings);
    return endpoint;
}

Status prepare_box_database(const config::Settings& settings) {
    auto endpoint = box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    std::string owner = endpoint->user;
    if (settings.catalog.empty()) {
        owner = "boathouse_engine";
        endpoint->database = "postgres";
    }
    auto server = Connection::open(*endpoint);
    if (!server) return server.error();
    return prepare(*server, box_database(settings), owner);
}

}  // namespace boathouse::catalog
