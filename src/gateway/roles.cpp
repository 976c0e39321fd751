#include "gateway/roles.hpp"

namespace boathouse::gateway {

namespace {

constexpr const char* kShowsVerifiers = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')";

constexpr const char* kVerifier =
    "SELECT coalesce(rolpassword, ''),"
    " rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > now()),"
    " pg_catalog.pg_has_role(oid, 'lake_admin', 'MEMBER') OR coalesce("
    "  (SELECT pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT') FROM pg_catalog.pg_database d"
    "    WHERE d.datname = $2), false)"
    " FROM pg_catalog.pg_authid r WHERE rolname = $1";

// The same of a catalog that shows no verifiers.
constexpr const char* kStanding =
    "SELECT '', rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > now()),"
    " coalesce((SELECT pg_catalog.pg_has_role(r.oid, a.oid, 'MEMBER') FROM pg_catalog.pg_roles a"
    "            WHERE a.rolname = 'lake_admin'), false)"
    " OR (SELECT pg_catalog.pg_has_role(r.oid, datdba, 'MEMBER') FROM pg_catalog.pg_database"
    "      WHERE datname = pg_catalog.current_database())"
    " FROM pg_catalog.pg_roles r WHERE rolname = $1";

constexpr const char* kSettings =
    "SELECT unnest(setconfig) FROM pg_catalog.pg_db_role_setting"
    " WHERE setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1))"
    "   AND setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))"
    " ORDER BY (setrole <> 0)::int * 2 + (setdatabase <> 0)::int";

// Of whoever is connected. An external catalog may lack lake_admin: its database's owner is as good.
constexpr const char* kIsAdmin =
    "SELECT coalesce((SELECT pg_catalog.pg_has_role(oid, 'MEMBER') FROM pg_catalog.pg_roles"
    "                  WHERE rolname = 'lake_admin'), false)"
    "    OR (SELECT pg_catalog.pg_has_role(datdba, 'MEMBER') FROM pg_catalog.pg_database"
    "         WHERE datname = pg_catalog.current_database())";

}  // namespace

Result<Role> Roles::find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    // A connection that lay idle may have been closed by the catalog's restart: one more try, on a new one.
    const bool was_open = connection_.has_value();
    auto role = ask(name);
    if (role || !was_open) return role;
    return ask(name);
}

// REQUIRES: mutex_ is held.
Result<Role> Roles::ask(const std::string& name) {
    if (!connection_) {
        auto opened = catalog::Connection::open(endpoint_);
        if (!opened) return opened.error();
        connection_.emplace(std::move(*opened));
        const auto shown = connection_->query(kShowsVerifiers);
        if (!shown) {
            connection_.reset();
            return shown.error();
        }
        shows_verifiers_ = shown->front().front() == "t";
    }
    Role role;
    role.shows_verifier = shows_verifiers_;
    auto settings = connection_->query(kSettings, {name});
    auto rows = !settings          ? settings
                : shows_verifiers_ ? connection_->query(kVerifier, {name, mirror_database_})
                                   : connection_->query(kStanding, {name});
    if (!rows) {
        connection_.reset();
        return rows.error();
    }
    for (const catalog::Row& row : *settings) role.settings.push_back(row[0].value_or(""));
    if (rows->empty()) return role;
    const catalog::Row& row = rows->front();
    role.verifier = row[0].value_or("");
    role.may_log_in = row[1] == "t";
    role.may_enter = row[2] == "t";
    return role;
}

Result<std::optional<Role>> Roles::try_password(const std::string& name, const Secret& password) const {
    // Without one, libpq would look for the box's own, in PGPASSWORD and the pgpass file.
    if (password.empty()) return std::optional<Role>();
    catalog::Endpoint as_user = endpoint_;
    as_user.user = name;
    as_user.password = password;
    as_user.application_name = "boathouse log-in";
    auto connection = catalog::Connection::open(as_user);
    if (!connection) {
        const ErrorKind kind = connection.error().kind;
        if (kind == ErrorKind::permission || kind == ErrorKind::not_found) return std::optional<Role>();
        return connection.error();
    }
    if (!connection->used_password()) {
        return Error{ErrorKind::configuration,
                     "the catalog lets \"" + name + "\" in from the box without a password, so none can be checked",
                     "Let the catalog's pg_hba.conf ask for scram-sha-256 from the box's address."};
    }
    const auto rows = connection->query(kIsAdmin);
    if (!rows) return rows.error();
    return std::optional<Role>(Role{false, "", true, rows->front().front() == "t", {}});
}

}  // namespace boathouse::gateway
