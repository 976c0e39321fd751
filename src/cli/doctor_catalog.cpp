// Doctor's look into the catalog, with whatever rights the user has.
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cmath>

#include "catalog/bootstrap.hpp"
#include "cli/doctor_finding.hpp"
#include "config/version.hpp"

namespace boathouse::cli {
namespace {

constexpr double kClockWarningSeconds = 5;
constexpr double kClockFailureSeconds = 300;
constexpr int kOldestPostgres = 140000;

std::string ask(catalog::Connection& connection, const std::string& sql) {
    const auto rows = connection.query(sql);
    return rows && !rows->empty() ? rows->front().at(0).value_or("") : "";
}

std::string setting(catalog::Connection& connection, const std::string& name) {
    return ask(connection, "SELECT current_setting('" + name + "', true)");
}

void check_lake(catalog::Connection& connection, Findings& findings) {
    const auto record = catalog::read_lake_record(connection);
    if (!record) {
        findings.push_back({"lake", Level::failure, record.error().message, record.error().hint});
    } else if (record->version != config::ducklake_catalog_version()) {
        findings.push_back(
            {"lake", Level::failure,
             fmt::format("the catalog is at version {}, DuckDB {} opens version {}", record->version,
                         config::duckdb_version(), config::ducklake_catalog_version()),
             "Use a Boathouse and clients of the DuckDB that wrote it, or restore the catalog from before."});
    } else {
        findings.push_back({"lake", Level::ok,
                            fmt::format("version {}, snapshot {}, data path {}", record->version, record->snapshot,
                                        record->data_path)});
    }
}

void check_settings(catalog::Connection& connection, Findings& findings) {
    const auto before = findings.size();
    const auto complain = [&](Level level, std::string message, std::string hint) {
        findings.push_back({"postgresql", level, std::move(message), std::move(hint)});
    };
    if (connection.server_version() < kOldestPostgres) {
        complain(Level::failure, "PostgreSQL is older than version 14", "Move the catalog to PostgreSQL 14 or newer.");
    }
    for (const char* name : {"fsync", "full_page_writes"}) {
        if (setting(connection, name) == "off") {
            complain(Level::failure, fmt::format("{} is off: a crash of the machine can destroy the catalog", name),
                     fmt::format("Set {} = on in PostgreSQL and reload.", name));
        }
    }
    if (setting(connection, "synchronous_commit") == "off") {
        complain(Level::warning,
                 "synchronous_commit is off: a crash can lose the last commits that clients saw succeed",
                 "Set synchronous_commit = on.");
    }
    const std::string messages = setting(connection, "lc_messages");
    if (!messages.empty() && messages != "C" && messages != "POSIX" && !messages.starts_with("C.") &&
        !messages.starts_with("en")) {
        complain(
            Level::failure,
            fmt::format("lc_messages is {}: DuckLake tells a conflict, which it retries, by English words", messages),
            "Set lc_messages = 'C' in PostgreSQL and reload.");
    }
    const std::string idle = setting(connection, "idle_in_transaction_session_timeout");
    if (!idle.empty() && idle != "0") {
        complain(Level::warning,
                 fmt::format("idle_in_transaction_session_timeout is {}: it ends long commits and compactions", idle),
                 "Set idle_in_transaction_session_timeout = 0 for the lake's database.");
    }
    const std::string max = setting(connection, "max_connections");
    const std::string used =
        ask(connection, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'");
    if (!max.empty() && !used.empty() && std::stoi(used) * 10 >= std::stoi(max) * 8) {
        complain(Level::warning, fmt::format("{} of {} connections are in use", used, max),
                 "Each DuckDB client holds up to eight: raise --catalog-max-connections, or let clients share.");
    }
    if (findings.size() == before) {
        findings.push_back({"postgresql", Level::ok,
                            fmt::format("version {}, {} of {} connections in use, durable",
                                        setting(connection, "server_version"), used, max)});
    }
}

void check_clock(catalog::Connection& connection, Findings& findings) {
    const std::string theirs = ask(connection, "SELECT extract(epoch FROM clock_timestamp())");
    if (theirs.empty()) return;
    const double ours = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double ahead = std::stod(theirs) - ours;
    if (std::abs(ahead) < kClockWarningSeconds) {
        findings.push_back({"clock", Level::ok, "the catalog's clock agrees with this machine's"});
        return;
    }
    findings.push_back({"clock", std::abs(ahead) < kClockFailureSeconds ? Level::warning : Level::failure,
                        fmt::format("the catalog's clock is {:.0f} s {} of this machine's", std::abs(ahead),
                                    ahead > 0 ? "ahead" : "behind"),
                        "Set both by NTP: time travel by timestamp and TLS certificates go by the clock."});
}

// What a schema holds that another client dropped at the same time. DuckLake lets both commit, and loads no lake in
// which it is so.
constexpr const char* kStrays = R"sql(
SELECT e.kind, e.id, quote_ident(e.name)
  FROM (SELECT 'table' AS kind, table_id AS id, table_name AS name, schema_id
          FROM public.ducklake_table WHERE end_snapshot IS NULL
        UNION ALL
        SELECT 'view', view_id, view_name, schema_id FROM public.ducklake_view WHERE end_snapshot IS NULL
        UNION ALL
        SELECT 'macro', macro_id, macro_name, schema_id FROM public.ducklake_macro WHERE end_snapshot IS NULL) e
 WHERE NOT EXISTS (SELECT FROM public.ducklake_schema s WHERE s.schema_id = e.schema_id AND s.end_snapshot IS NULL)
 ORDER BY e.id LIMIT 20)sql";

void check_entries(catalog::Connection& connection, Findings& findings) {
    const auto strays = connection.query(kStrays);
    if (!strays) return;  // check_lake has said why
    for (const auto& row : *strays) {
        const std::string kind = row.at(0).value_or("");
        findings.push_back(
            {"entries", Level::failure,
             fmt::format("the {} {} is in a schema that is gone: DuckDB cannot load the lake", kind,
                         row.at(2).value_or("?")),
             fmt::format("One client made it while another dropped the schema. After a backup, end it on the catalog's "
                         "port: UPDATE public.ducklake_{0} t SET end_snapshot = greatest(t.begin_snapshot, (SELECT "
                         "max(s.end_snapshot) FROM public.ducklake_schema s WHERE s.schema_id = t.schema_id)) WHERE "
                         "t.{0}_id = {1} AND t.end_snapshot IS NULL;",
                         kind, row.at(1).value_or("?"))});
    }
    if (strays->empty())
        findings.push_back({"entries", Level::ok, "every table, view and macro is in a schema that is there"});
}

constexpr const char* kArchive =
    "SELECT failed_count, coalesce(last_failed_wal, ''), coalesce(last_archived_time::text, 'never'),"
    " last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver"
    " WHERE current_setting('archive_mode') <> 'off'";

// A piece that cannot be archived stays on the catalog's disk, with all that come after it.
void check_archive(catalog::Connection& connection, Findings& findings) {
    const auto rows = connection.query(kArchive);
    for (const auto& row : rows ? *rows : catalog::Rows()) {
        if (row.at(3) != "t") {
            findings.push_back(
                {"archive", Level::ok, "the catalog's log is archived, last: " + row.at(2).value_or("?")});
            continue;
        }
        findings.push_back(
            {"archive", Level::failure,
             fmt::format("the catalog's log is not archived: {} has failed, {} attempts in all, the last "
                         "success was {}; it grows until the disk is full",
                         row.at(1).value_or("?"), row.at(0).value_or("?"), row.at(2).value_or("?")),
             "The box's log says why; is there room, and may the box's user write, where backups go?"});
    }
}

// Sessions that sit in an open transaction, with the number of those that wait for them: for long, or while others
// wait.
constexpr const char* kOrphans = R"sql(
SELECT pid, usename, idle_seconds, waiting
  FROM (SELECT a.pid, a.usename, extract(epoch FROM now() - a.state_change)::bigint AS idle_seconds,
               (SELECT count(*) FROM pg_stat_activity w WHERE a.pid = ANY (pg_blocking_pids(w.pid))) AS waiting
          FROM pg_stat_activity a
         WHERE a.datname = current_database() AND a.state LIKE 'idle in transaction%') sessions
 WHERE idle_seconds >= 600 OR (idle_seconds >= 5 AND waiting > 0))sql";

// They keep their locks, and old row versions, for as long as they live.
void check_locks(catalog::Connection& connection, Findings& findings) {
    const auto before = findings.size();
    const auto sessions = connection.query(kOrphans);
    for (const auto& row : sessions ? *sessions : catalog::Rows()) {
        findings.push_back(
            {"locks", Level::warning,
             fmt::format("session {} of {} has done nothing in an open transaction for {} s; {} others wait for it",
                         row.at(0).value_or("?"), row.at(1).value_or("?"), row.at(2).value_or("?"),
                         row.at(3).value_or("?")),
             fmt::format("If its client is gone, end it: SELECT pg_terminate_backend({});", row.at(0).value_or("?"))});
    }
    // No client of a lake prepares transactions: one that is there outlived whoever made it.
    const auto prepared = connection.query(
        "SELECT quote_literal(gid), owner, prepared::timestamptz(0) FROM pg_prepared_xacts WHERE database = "
        "current_database()");
    for (const auto& row : prepared ? *prepared : catalog::Rows()) {
        findings.push_back(
            {"locks", Level::warning,
             fmt::format("the prepared transaction {} of {} was made at {} and never finished; it keeps its locks",
                         row.at(0).value_or("?"), row.at(1).value_or("?"), row.at(2).value_or("?")),
             fmt::format("If its maker is gone, undo it: ROLLBACK PREPARED {};", row.at(0).value_or("?"))});
    }
    if (findings.size() == before) findings.push_back({"locks", Level::ok, "no orphaned transactions"});
}

}  // namespace

void check_catalog(catalog::Connection& connection, Findings& findings) {
    check_lake(connection, findings);
    check_entries(connection, findings);
    check_settings(connection, findings);
    check_clock(connection, findings);
    check_locks(connection, findings);
    check_archive(connection, findings);
}

}  // namespace boathouse::cli
