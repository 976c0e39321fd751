#include "http/catalog_metrics.hpp"

#include "base/log.hpp"

namespace boathouse::http {
namespace {

constexpr const char* kServer =
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'),"
    " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'),"
    " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'),"
    " current_setting('max_connections'), pg_database_size(current_database()), xact_commit, xact_rollback, deadlocks"
    " FROM pg_stat_database WHERE datname = current_database()";

constexpr const char* kArchive =
    "SELECT archived_count, failed_count, coalesce(extract(epoch FROM last_archived_time), 0),"
    " (last_failed_time IS NOT NULL AND last_failed_time > coalesce(last_archived_time, '-infinity'))::int"
    " FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'";

// Inlined rows: PostgreSQL's own estimate, as counting them would read them all.
constexpr const char* kLake =
    "SELECT (SELECT max(snapshot_id) FROM public.ducklake_snapshot),"
    " (SELECT count(*) FROM public.ducklake_snapshot),"
    " (SELECT count(*) FROM public.ducklake_table WHERE end_snapshot IS NULL),"
    " (SELECT count(*) FROM public.ducklake_view WHERE end_snapshot IS NULL),"
    " (SELECT count(*) FROM public.ducklake_data_file WHERE end_snapshot IS NULL),"
    " (SELECT coalesce(sum(file_size_bytes), 0) FROM public.ducklake_data_file WHERE end_snapshot IS NULL),"
    " (SELECT count(*) FROM public.ducklake_delete_file WHERE end_snapshot IS NULL),"
    " (SELECT count(*) FROM public.ducklake_files_scheduled_for_deletion),"
    " (SELECT coalesce(sum(n_live_tup), 0) FROM pg_stat_user_tables WHERE relname LIKE 'ducklake\\_inlined\\_data\\_%'"
    "  AND relname <> 'ducklake_inlined_data_tables')";

double value(const catalog::Row& row, std::size_t column) {
    return std::stod(row.at(column).value_or("0"));
}

}  // namespace

Status CatalogMetrics::connect() {
    if (connection_) return {};
    auto opened = catalog::Connection::open(endpoint_, std::chrono::seconds(3));
    if (!opened) return opened.error();
    connection_ = std::move(*opened);
    return connection_->execute("SET statement_timeout = '5s'");
}

void CatalogMetrics::add_to(Exposition& exposition) {
    Exposition read;  // joins the scrape whole or not at all
    auto status = connect();
    if (status) status = add_server(read);
    if (status) status = add_archive(read);
    if (status) status = add_lake(read);
    if (!status) {
        connection_.reset();
        log_debug("http", "the catalog's metrics cannot be read: {}", status.error().message);
    }
    exposition.gauge("boathouse_catalog_up", "Whether the catalog's PostgreSQL answered this scrape.", status ? 1 : 0);
    if (status) exposition.append(read);
}

Status CatalogMetrics::add_server(Exposition& exposition) {
    const auto rows = connection_->query(kServer);
    if (!rows) return rows.error();
    const auto& row = rows->at(0);
    const char* connections = "Connections to the catalog's database, by what they do.";
    exposition.gauge("boathouse_catalog_connections", connections, value(row, 0), {{"state", "active"}});
    exposition.gauge("boathouse_catalog_connections", connections, value(row, 1), {{"state", "idle"}});
    exposition.gauge("boathouse_catalog_connections", connections, value(row, 2), {{"state", "idle in transaction"}});
    exposition.gauge("boathouse_catalog_connections_max", "Connections that PostgreSQL takes.", value(row, 3));
    exposition.gauge("boathouse_catalog_database_bytes", "Size of the catalog's database, in bytes.", value(row, 4));
    const char* transactions = "Transactions in the catalog's database since its statistics were reset.";
    exposition.counter("boathouse_catalog_transactions_total", transactions, value(row, 5), {{"outcome", "commit"}});
    exposition.counter("boathouse_catalog_transactions_total", transactions, value(row, 6), {{"outcome", "rollback"}});
    exposition.counter("boathouse_catalog_deadlocks_total", "Deadlocks in the catalog's database.", value(row, 7));
    return {};
}

// No values where nothing is archived.
Status CatalogMetrics::add_archive(Exposition& exposition) {
    const auto rows = connection_->query(kArchive);
    if (!rows) return rows.error();
    if (rows->empty()) return {};
    const auto& row = rows->at(0);
    exposition.counter("boathouse_archive_pieces_total", "Pieces of the catalog's log that were archived.",
                       value(row, 0));
    exposition.counter("boathouse_archive_failures_total", "Attempts to archive a piece that failed.", value(row, 1));
    exposition.gauge("boathouse_archive_last_success_timestamp_seconds",
                     "When a piece was archived last, in seconds since 1970; 0: never.", value(row, 2));
    exposition.gauge("boathouse_archive_failing",
                     "Whether the last attempt failed: the log grows on the catalog's disk until one succeeds.",
                     value(row, 3));
    return {};
}

Status CatalogMetrics::add_lake(Exposition& exposition) {
    const auto rows = connection_->query(kLake);
    if (!rows) return rows.error();
    const auto& row = rows->at(0);
    exposition.gauge("boathouse_lake_snapshot", "Number of the newest snapshot.", value(row, 0));
    exposition.gauge("boathouse_lake_snapshots", "Snapshots that are kept.", value(row, 1));
    exposition.gauge("boathouse_lake_tables", "Tables in the newest snapshot.", value(row, 2));
    exposition.gauge("boathouse_lake_views", "Views in the newest snapshot.", value(row, 3));
    exposition.gauge("boathouse_lake_data_files", "Data files of the newest snapshot.", value(row, 4));
    exposition.gauge("boathouse_lake_data_bytes", "Size of the newest snapshot's data files, in bytes.", value(row, 5));
    exposition.gauge("boathouse_lake_delete_files", "Delete files of the newest snapshot.", value(row, 6));
    exposition.gauge("boathouse_lake_files_scheduled_for_deletion",
                     "Files that no snapshot needs and that are still there.", value(row, 7));
    exposition.gauge("boathouse_lake_inlined_rows_estimate",
                     "Rows kept in the catalog instead of in data files, estimated.", value(row, 8));
    return {};
}

}  // namespace boathouse::http
