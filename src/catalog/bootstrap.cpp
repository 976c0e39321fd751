#include "catalog/bootstrap.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "catalog/access.hpp"
#include "catalog/applied_password.hpp"
#include "catalog/give_way.hpp"
#include "catalog/start_turn.hpp"
#include "catalog/tuning.hpp"
#include "catalog/version_guard.hpp"

namespace boathouse::catalog {
namespace {

constexpr const char* kEngineRole = "boathouse_engine";
constexpr const char* kMirrorRole = "boathouse_mirror";

Result<bool> role_exists(Connection& connection, const std::string& role) {
    auto rows = connection.query("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", {role});
    if (!rows) return rows.error();
    return !rows->empty();
}

Status create_group_roles(Connection& connection) {
    const std::string* weaker = nullptr;
    for (const std::string& role : lake_roles()) {
        auto there = role_exists(connection, role);
        if (!there) return there.error();
        if (!*there) {
            if (auto made = connection.execute("CREATE ROLE " + role + " NOLOGIN"); !made) return made;
        }
        if (weaker != nullptr) {
            if (auto granted = connection.execute("GRANT " + *weaker + " TO " + role); !granted) return granted;
        }
        weaker = &role;
    }
    return {};
}

Status set_password(Connection& connection, const config::Settings& settings) {
    auto verifier = connection.scram_verifier(settings.postgres_user, settings.postgres_password);
    if (!verifier) return verifier.error();
    return connection.execute("ALTER ROLE " + connection.identifier(settings.postgres_user) + " PASSWORD " +
                              connection.literal(*verifier));
}

// The configured password counts when the role is new or the configuration has changed since it last counted. On an
// external catalog a role that was there before the box came keeps the password that its owner gave it.
Status apply_password(Connection& connection, const config::Settings& settings, bool created) {
    if (settings.postgres_password.empty()) return {};
    const std::string secrets = config::secrets_dir(settings);
    if (!created) {
        if (is_applied_password(secrets, settings.postgres_password)) return {};
        if (!settings.catalog.empty()) {
            log_warning("catalog", "the password of role \"{}\" is left as the external catalog has it",
                        settings.postgres_user);
            return {};
        }
    }
    if (auto set = set_password(connection, settings); !set) return set;
    return remember_applied_password(secrets, settings.postgres_password);
}

// The engine's own role: it does with the lake what its admins do, and is not more than they are, so what an admin
// plants in the lake's tables (a trigger, a rule) gains nothing by being run by the engine. The search path protects
// what reaches the catalog without going through Connection, DuckDB's postgres extension.
Status create_engine_role(Connection& connection) {
    auto there = role_exists(connection, kEngineRole);
    if (!there) return there.error();
    if (!*there) {
        if (auto made = connection.execute(fmt::format("CREATE ROLE {} LOGIN", kEngineRole)); !made) return made;
    }
    return connection.execute(
        fmt::format("GRANT lake_admin, pg_monitor TO {0}; ALTER ROLE {0} SET search_path = pg_catalog", kEngineRole));
}

// The owner of the mirror's database. What it makes there it makes for the lake's owner, so it is a member of that
// role.
Status create_mirror_role(Connection& connection, const config::Settings& settings) {
    auto there = role_exists(connection, kMirrorRole);
    if (!there) return there.error();
    if (!*there) {
        if (auto made = connection.execute(fmt::format("CREATE ROLE {} LOGIN", kMirrorRole)); !made) return made;
    }
    return connection.execute(fmt::format("GRANT {1} TO {0}; ALTER ROLE {0} SET search_path = pg_catalog", kMirrorRole,
                                          connection.identifier(settings.postgres_user)));
}

Status check_owner_name(const std::string& user) {
    if (!is_reserved_role(user)) return {};
    return Error{ErrorKind::configuration, fmt::format("POSTGRES_USER may not be \"{}\", a name with a meaning", user),
                 "Choose another name; the default is admin.", ""};
}

Status create_owner(Connection& connection, const config::Settings& settings) {
    auto there = role_exists(connection, settings.postgres_user);
    if (!there) return there.error();
    const std::string user = connection.identifier(settings.postgres_user);
    if (!*there) {
        if (auto made = connection.execute("CREATE ROLE " + user + " LOGIN CREATEROLE"); !made) return made;
    }
    if (auto applied = apply_password(connection, settings, !*there); !applied) return applied;
    for (const std::string& role : lake_roles()) {
        if (auto granted = connection.execute("GRANT " + role + " TO " + user + " WITH ADMIN OPTION"); !granted) {
            return granted;
        }
    }
    if (!connection.is_superuser()) return {};
    return connection.execute("GRANT pg_monitor, pg_signal_backend TO " + user);
}

// DuckLake's texts are UTF-8; a database of another encoding would refuse or garble them.
Status check_encoding(Connection& connection, const std::string& database) {
    auto rows = connection.query(
        "SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database WHERE datname = $1", {database});
    if (!rows) return rows.error();
    if (rows->empty() || rows->front().front() == "UTF8") return {};
    return Error{
        ErrorKind::conflict,
        fmt::format("The database \"{}\" has the encoding {}, a lake needs UTF8", database,
                    rows->front().front().value_or("?")),
        "Name another database, or create this one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.", ""};
}

// A new database is closed to everybody but the engine until it holds a lake: DuckLake makes one in any empty database
// that a client attaches, and a newer client's would be of a version that this engine cannot open. The connection
// limit, which does not bind superusers, covers the moment in which a database has its default privileges.
Status create_database(Connection& connection, const config::Settings& settings) {
    const std::string database = connection.identifier(settings.postgres_db);
    auto rows =
        connection.query("SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = $1", {settings.postgres_db});
    if (!rows) return rows.error();
    if (rows->empty()) {
        auto made = connection.execute("CREATE DATABASE " + database +
                                       " ENCODING 'UTF8' TEMPLATE template0 CONNECTION LIMIT 0");
        if (!made) return made;
    } else if (rows->front().front() != "0") {
        return {};
    }
    return connection.execute(
        fmt::format("REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO "
                    "{1}; ALTER DATABASE {0} CONNECTION LIMIT -1",
                    database, kEngineRole));
}

Status hand_over_database(Connection& connection, const config::Settings& settings) {
    auto rows =
        connection.query("SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = $1",
                         {settings.postgres_db});
    if (!rows) return rows.error();
    if (!rows->empty() && rows->front().front() == settings.postgres_user) return {};
    return connection.execute("ALTER DATABASE " + connection.identifier(settings.postgres_db) + " OWNER TO " +
                              connection.identifier(settings.postgres_user));
}

// The box's own PostgreSQL: everything is ours to arrange.
Status prepare_child(const config::Settings& settings, Endpoint endpoint) {
    endpoint.database = "postgres";
    auto connection = Connection::open(endpoint);
    if (!connection) return connection.error();
    if (auto made = create_group_roles(*connection); !made) return made;
    if (auto made = create_engine_role(*connection); !made) return made;
    if (auto made = create_owner(*connection, settings); !made) return made;
    if (auto made = create_mirror_role(*connection, settings); !made) return made;
    if (auto made = create_database(*connection, settings); !made) return made;
    if (auto fits = check_encoding(*connection, settings.postgres_db); !fits) return fits;
    endpoint.database = settings.postgres_db;
    auto database = Connection::open(endpoint);
    if (!database) return database.error();
    return grant_database_access(*database);
}

// Somebody else's PostgreSQL: the database is there, and what its administrator does not allow stays undone.
Status prepare_external(const config::Settings& settings, const Endpoint& endpoint) {
    auto connection = take_start_turn(settings);
    if (!connection) return connection.error();
    if (auto fits = check_encoding(*connection, endpoint.database); !fits) return fits;
    auto made = create_group_roles(*connection);
    if (made && settings.postgres_user != endpoint.user) made = create_owner(*connection, settings);
    if (made) return grant_database_access(*connection);
    if (made.error().kind != ErrorKind::permission) return made;
    log_warning("catalog",
                "role \"{}\" may not create roles in the external catalog, so its roles stay as they are: {}. Let an "
                "administrator create lake_reader, lake_writer and lake_admin to have them",
                endpoint.user, made.error().message);
    return {};
}

// By the system's catalog alone: also for a superuser, who had better not read tables of other people's making.
Result<bool> lake_exists(Connection& connection) {
    auto rows = connection.query("SELECT pg_catalog.to_regclass('public.ducklake_metadata') IS NOT NULL");
    if (!rows) return rows.error();
    return rows->front().front() == "t";
}

Error no_lake() {
    return {ErrorKind::not_found, "The catalog's database holds no lake",
            "Start the box once with `boathouse serve`: it creates the lake.", ""};
}

}  // namespace

const std::vector<std::string>& lake_roles() {
    static const std::vector<std::string> kRoles{"lake_reader", "lake_writer", "lake_admin"};
    return kRoles;
}

bool is_reserved_role(const std::string& name) {
    const auto& roles = lake_roles();
    return name == "boathouse" || name == kEngineRole || name == kMirrorRole || name == "public" || name == "none" ||
           name.starts_with("pg_") || std::find(roles.begin(), roles.end(), name) != roles.end();
}

Status prepare_server(const config::Settings& settings) {
    if (auto fits = check_owner_name(settings.postgres_user); !fits) return fits;
    auto endpoint = box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    return settings.catalog.empty() ? prepare_child(settings, *endpoint) : prepare_external(settings, *endpoint);
}

Status tune_catalog(const config::Settings& settings) {
    auto endpoint = box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto connection = Connection::open(*endpoint);
    if (!connection) return connection.error();
    auto there = lake_exists(*connection);
    if (!there) return there.error();
    if (!*there) return no_lake();
    if (auto granted = grant_access(*connection); !granted) return granted;
    if (auto guarded = install_version_guard(*connection); !guarded) return guarded;
    if (auto installed = install_give_way(*connection); !installed) return installed;
    if (auto tuned = tune_tables(*connection); !tuned) return tuned;
    if (settings.catalog.empty()) {
        if (auto handed = hand_over_database(*connection, settings); !handed) return handed;
    }
    return let_clients_in(*connection);
}

Status drop_mirror(Connection& connection, const config::Settings& settings) {
    return connection.execute("DROP DATABASE IF EXISTS " + connection.identifier(mirror_database(settings)) +
                              " WITH (FORCE)");
}

Result<LakeRecord> read_lake_record(Connection& connection) {
    auto there = lake_exists(connection);
    if (!there) return there.error();
    if (!*there) return no_lake();
    auto rows = connection.query(
        "SELECT (SELECT value FROM public.ducklake_metadata WHERE key = 'version' AND scope IS NULL), "
        "(SELECT value FROM public.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL), "
        "(SELECT value FROM public.ducklake_metadata WHERE key = 'encrypted' AND scope IS NULL) = 'true', "
        "(SELECT max(snapshot_id) FROM public.ducklake_snapshot)");
    if (!rows) return rows.error();
    const Row& row = rows->front();
    if (!row[0] || !row[1] || !row[3]) {
        return Error{ErrorKind::corrupt, "The catalog lacks the lake's version, data path or snapshots",
                     "Restore the catalog from a backup.", ""};
    }
    return LakeRecord{*row[0], *row[1], row[2] == "t", std::stoll(*row[3])};
}

}  // namespace boathouse::catalog
