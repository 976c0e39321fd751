#include "catalog/users.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "catalog/access.hpp"
#include "catalog/bootstrap.hpp"

namespace boathouse::catalog {
namespace {

constexpr const char* kNoRole = "none";

// One row a login role, or the role $1: name, lake role, whether it may hand out lake_admin.
constexpr const char* kUsers = R"sql(
SELECT r.rolname,
       CASE WHEN pg_catalog.pg_has_role(r.oid, 'lake_admin', 'MEMBER') THEN 'admin'
            WHEN pg_catalog.pg_has_role(r.oid, 'lake_writer', 'MEMBER') THEN 'writer'
            WHEN pg_catalog.pg_has_role(r.oid, 'lake_reader', 'MEMBER') THEN 'reader'
            ELSE 'none' END,
       EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                WHERE m.member = r.oid AND m.roleid = 'lake_admin'::pg_catalog.regrole AND m.admin_option)
  FROM pg_catalog.pg_roles r
 WHERE NOT r.rolsuper AND r.rolname NOT IN ('boathouse_engine', 'boathouse_mirror') AND CASE WHEN $1::text IS NULL THEN r.rolcanlogin ELSE r.rolname = $1 END
 ORDER BY r.rolname)sql";

// Databases in which something belongs to the role or is granted to it.
constexpr const char* kDatabasesOf = R"sql(
SELECT DISTINCT d.datname, pg_catalog.pg_get_userbyid(d.datdba)
  FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
 WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.datallowconn
   AND s.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1))sql";

Error no_such_user(const std::string& name) {
    return {ErrorKind::not_found, fmt::format("There is no user \"{}\"", name),
            "`boathouse user list` shows those that there are.", ""};
}

Result<std::vector<User>> read_users(Connection& connection, const std::optional<std::string>& name) {
    auto rows = connection.query(kUsers, {name});
    if (!rows) return rows.error();
    std::vector<User> users;
    for (const Row& row : *rows) users.push_back({row[0].value_or(""), row[1].value_or(""), row[2] == "t"});
    return users;
}

// Also one that may no longer log in, because a removal was interrupted.
Result<User> find_user(Connection& connection, const std::string& name) {
    if (is_reserved_role(name)) return no_such_user(name);
    auto users = read_users(connection, name);
    if (!users) return users.error();
    if (users->empty()) return no_such_user(name);
    return users->front();
}

Result<std::string> password_clause(Connection& connection, const std::string& name, const Secret& password) {
    auto verifier = connection.scram_verifier(name, password);
    if (!verifier) return verifier.error();
    return " PASSWORD " + connection.literal(*verifier);
}

// A superuser acts for every role; the role of an external catalog for those that it is a member of.
Status act_for(Connection& connection, const std::string& role) {
    if (connection.is_superuser()) return {};
    return connection.execute("GRANT " + role + " TO CURRENT_USER");
}

// In one database: what the role owns goes to the database's owner, what it was granted goes away.
Status release_objects(Endpoint endpoint, const Row& database, const std::string& name) {
    endpoint.database = database.at(0).value_or("");
    auto connection = Connection::open(endpoint);
    if (!connection) return connection.error();
    const std::string role = connection->identifier(name);
    return connection->execute("REASSIGN OWNED BY " + role + " TO " +
                               connection->identifier(database.at(1).value_or("")) + "; DROP OWNED BY " + role);
}

// "reader" -> "lake_reader" and so on.
Result<std::string> group_role(std::string_view lake_role) {
    std::string role = fmt::format("lake_{}", lake_role);
    const auto& roles = lake_roles();
    if (std::find(roles.begin(), roles.end(), role) != roles.end()) return role;
    return Error{ErrorKind::configuration, fmt::format("There is no lake role \"{}\"", lake_role),
                 "Take one of reader, writer, admin and none.", ""};
}

// What a new user gets: a group role, or no more than to come in.
Result<std::string> first_right(Connection& connection, const NewUser& user) {
    if (user.lake_role != kNoRole) return group_role(user.lake_role);
    if (user.mirror_database.empty()) {
        return Error{ErrorKind::configuration, "With an external catalog a user needs a lake role",
                     "GRANT on single tables is for the box's own PostgreSQL; take reader, writer or admin.", ""};
    }
    return "CONNECT ON DATABASE " + connection.identifier(user.mirror_database);
}

}  // namespace

Result<std::vector<User>> list_users(Connection& connection) {
    return read_users(connection, std::nullopt);
}

Status add_user(Connection& connection, const NewUser& user) {
    if (user.name.empty() || is_reserved_role(user.name)) {
        return Error{ErrorKind::configuration, fmt::format("A user may not be called \"{}\"", user.name),
                     "The name has a meaning in PostgreSQL or in the box; choose another.", ""};
    }
    auto right = first_right(connection, user);
    if (!right) return right.error();
    auto password = password_clause(connection, user.name, user.password);
    if (!password) return password.error();
    const std::string role = connection.identifier(user.name);
    auto added = connection.execute("CREATE ROLE " + role + " LOGIN" + *password + "; GRANT " + *right + " TO " + role);
    if (!added && connection.last_sqlstate() == "42710") {
        return Error{ErrorKind::conflict, fmt::format("There is a role \"{}\" already", user.name),
                     "`boathouse user password` changes its password, GRANT its roles.", ""};
    }
    if (!added || connection.is_superuser()) return added;
    // Without event triggers, what the new user will create is shared by its default privileges.
    if (auto acting = act_for(connection, role); !acting) return acting;
    return grant_access(connection);
}

Status set_user_password(Connection& connection, const std::string& name, const Secret& password) {
    auto user = find_user(connection, name);
    if (!user) return user.error();
    auto clause = password_clause(connection, name, password);
    if (!clause) return clause.error();
    return connection.execute("ALTER ROLE " + connection.identifier(name) + *clause);
}

Status remove_user(Connection& connection, const Endpoint& endpoint, const std::string& name) {
    auto user = find_user(connection, name);
    if (!user) return user.error();
    if (user->is_owner) {
        return Error{ErrorKind::conflict, fmt::format("\"{}\" owns the lake's database and cannot be removed", name),
                     "Start the box with another POSTGRES_USER to hand it over; then take lake_admin from this one.",
                     ""};
    }
    const std::string role = connection.identifier(name);
    if (auto barred = connection.execute("ALTER ROLE " + role + " NOLOGIN"); !barred) return barred;
    if (auto acting = act_for(connection, role); !acting) return acting;
    auto ended = connection.query(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = $1", {name});
    if (!ended) return ended.error();
    auto databases = connection.query(kDatabasesOf, {name});
    if (!databases) return databases.error();
    for (const Row& database : *databases) {
        if (auto released = release_objects(endpoint, database, name); !released) return released;
    }
    return connection.execute("DROP ROLE " + role);
}

}  // namespace boathouse::catalog
