#include "upgrade/dump_back.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "backup/pipe_program.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/connection.hpp"
#include "upgrade/private_postgres.hpp"

namespace boathouse::upgrade {
namespace {

using backup::PipeProgram;

constexpr const char* kUnfinished = "boathouse_unfinished";
constexpr const char* kDropUnfinished = "DROP DATABASE IF EXISTS boathouse_unfinished";

Status check_lake(const catalog::Endpoint& endpoint) {
    auto connection = catalog::Connection::open(endpoint);
    if (!connection) return connection.error();
    const auto lake = catalog::read_lake_record(*connection);
    return lake ? Status() : Status(lake.error());
}

Status restore(const DumpBackOptions& options, const PrivatePostgres& postgres) {
    auto restoring = PipeProgram::start({options.postgres.bin_dir + "/pg_restore", "--exit-on-error", "--no-password",
                                         "--dbname=" + postgres.endpoint(kUnfinished).conninfo(), options.dump},
                                        PipeProgram::Direction::read_from);
    if (!restoring) return restoring.error();
    auto restored = (*restoring)->finish();
    if (restored) restored = check_lake(postgres.endpoint(kUnfinished));
    if (restored) return restored;
    return Error{ErrorKind::corrupt, "the dump " + options.dump + " could not be restored: " + restored.error().message,
                 "The catalog is as it was.", ""};
}

// With a limit of 0 connections: the box takes such a database for one that it has yet to open to its users.
Status make_database(catalog::Connection& server, const std::string& database) {
    if (auto dropped = server.execute(kDropUnfinished); !dropped) return dropped;
    const auto owner = server.query(
        "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = $1", {database});
    if (!owner) return owner.error();
    if (owner->empty()) {
        return Error{ErrorKind::not_found, "there is no database \"" + database + "\" in the box's catalog",
                     "Set POSTGRES_DB as it was set for the box.", ""};
    }
    return server.execute(
        fmt::format("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0 CONNECTION LIMIT 0", kUnfinished,
                    server.identifier(owner->at(0)[0].value_or(""))));
}

Status exchange(catalog::Connection& server, const std::string& database, const std::string& kept) {
    return server.execute(
        fmt::format("BEGIN; ALTER DATABASE {0} RENAME TO {1}; ALTER DATABASE {2} RENAME TO {0}; COMMIT",
                    server.identifier(database), server.identifier(kept), kUnfinished));
}

// Derived from the catalog that was; its privileges are in the box's own database.
Status drop_mirror(catalog::Connection& server) {
    const auto mirrors = server.query(
        "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.pg_get_userbyid(datdba) = 'boathouse_mirror'");
    if (!mirrors) return mirrors.error();
    for (const catalog::Row& row : *mirrors) {
        const std::string name = server.identifier(row[0].value_or(""));
        if (auto dropped = server.execute("DROP DATABASE " + name); !dropped) return dropped;
    }
    return {};
}

}  // namespace

Result<std::string> bring_back(const DumpBackOptions& options) {
    if (::access(options.dump.c_str(), R_OK) != 0) {
        return Error{ErrorKind::not_found, "the box's user cannot read the dump " + options.dump,
                     "`boathouse migrate --allow` has said where it put it.", ""};
    }
    auto postgres = PrivatePostgres::start({.settings = options.settings,
                                            .pgdata = config::postgres_dir(options.settings),
                                            .bin_dir = options.postgres.bin_dir,
                                            .os_user = options.os_user,
                                            .port = 1,
                                            .log_file = config::log_dir(options.settings) + "/migrate-back.log",
                                            .keeps_log = true});
    if (!postgres) return postgres.error();
    auto server = catalog::Connection::open((*postgres)->endpoint("postgres"));
    if (!server) return server.error();
    const std::string& database = options.settings.postgres_db;
    if (auto made = make_database(*server, database); !made) return made.error();
    if (auto restored = restore(options, **postgres); !restored) {
        (void)server->execute(kDropUnfinished);  // else the next run does
        return restored.error();
    }
    const std::string kept = database + "_migrated";
    if (auto exchanged = exchange(*server, database, kept); !exchanged) return exchanged.error();
    if (auto dropped = drop_mirror(*server); !dropped) return dropped.error();
    if (auto stopped = (*postgres)->stop(); !stopped) return stopped.error();
    return kept;
}

}  // namespace boathouse::upgrade
